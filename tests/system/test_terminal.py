"""On a terminal: the prompt, the progress line, names that try to drive it; and what is printed for shells and man."""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time

import pytest

from kura import MIB, PASSPHRASE, PROGRAM, Kura, running


class Terminal:
    """A program on a terminal of its own, as a shell would start it."""

    def __init__(self, command, environment):
        self.process, self.master, self.seen = None, None, b""
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(command, env=environment, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, preexec_fn=_take_terminal)
        self.slave = slave  # kept, so that the terminal and its settings outlive the program

    def until(self, text, seconds=20):
        """Reads until `text` shows."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, (text, self.seen)
            self._read(0.1)
        return self.seen

    def until_end(self, seconds=60):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.seen
            self._read(0.05)
        while self._read(0.05):
            pass
        return self.process.returncode

    def type(self, data):
        os.write(self.master, data)

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master), os.close(self.slave)

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.seen += os.read(self.master, 65536)
        return True


def _take_terminal():
    import fcntl
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal():
    opened = []

    def open_terminal(kura, *arguments, keys=False, **env):
        opened.append(Terminal(kura.command(*arguments), kura.with_keys(keys, **env)))
        return opened[-1]
    yield open_terminal
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def kura(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "source").mkdir()
    (folder / "source" / "file").write_text("contents")
    kura = Kura(folder, passphrase=PASSPHRASE)
    kura.run("backup", folder / "source")
    return kura


def test_the_passphrase_is_asked_for_without_echo(kura, terminal):
    screen = terminal(kura, "ls", "latest")
    screen.until(b"assphrase")
    assert not screen.echoes()
    screen.type(PASSPHRASE.encode() + b"\n")
    assert screen.until_end() == 0, screen.seen
    assert PASSPHRASE.split()[0].encode() not in screen.seen and screen.echoes()


def test_a_wrong_passphrase_at_the_prompt_fails(kura, terminal):
    screen = terminal(kura, "ls", "latest")
    screen.until(b"assphrase")
    screen.type(b"wrong\n")
    assert screen.until_end() == 1 and screen.echoes()


def test_ctrl_c_at_the_prompt_restores_the_terminal(kura, terminal):
    screen = terminal(kura, "ls", "latest")
    screen.until(b"assphrase")
    while screen.echoes():
        time.sleep(0.01)
    screen.type(b"half a passph\x03")
    assert screen.until_end() == 130, screen.seen
    assert termios.tcgetattr(screen.slave) == screen.before


def test_end_of_input_at_the_prompt_is_no_passphrase(kura, terminal):
    screen = terminal(kura, "ls", "latest")
    screen.until(b"assphrase")
    screen.type(b"\x04")
    assert screen.until_end(10) in (1, 2) and screen.echoes()


def test_without_a_terminal_it_says_how_to_give_the_passphrase(kura):
    done = subprocess.run(kura.command("ls", "latest"), env=kura.environment, stdin=subprocess.DEVNULL,
                          capture_output=True, start_new_session=True, timeout=20)
    assert done.returncode == 2 and b"KURA_PASSPHRASE" in done.stderr


def test_a_new_passphrase_is_asked_for_twice(kura, terminal, tmp_path):
    for second, code in ((b"other", 2), (b"first", 0)):
        screen = terminal(kura, "-r", tmp_path / "repository", "--state-dir", tmp_path / "state", "init")
        screen.until(b"assphrase")
        screen.type(b"first\n")
        screen.until(b"again")
        screen.type(second + b"\n")
        assert screen.until_end() == code, screen.seen
        assert (tmp_path / "repository").exists() is (code == 0)


def test_the_first_line_of_a_passphrase_file_counts(kura, tmp_path):
    file = tmp_path / "passphrase"
    for ending in ("", "\n", "\r\n", "\nnot this\n"):
        file.write_bytes(PASSPHRASE.encode() + ending.encode())
        kura.run("ls", "latest", "--passphrase-file", file, keys=False)
        kura.run("ls", "latest", keys=False, env={"KURA_PASSPHRASE_FILE": str(file)})
    file.write_bytes(b"\n")
    kura.run("ls", "latest", "--passphrase-file", file, keys=False, code=2)


def test_on_a_terminal_a_progress_line_shows_rate_and_goes_away(kura, terminal, tmp_path):
    (tmp_path / "big").write_bytes(os.urandom(256 * MIB))
    screen = terminal(kura, "backup", tmp_path / "big", "--threads", "1")
    screen.until(b"backing up")
    assert screen.until_end() == 0
    lines = screen.seen.split(b"\r")
    assert any(re.search(rb"backing up .*[KMG]i?B/s", line) for line in lines), screen.seen
    assert b"\r\x1b[K" in screen.seen and b"snapshot " in screen.seen.rsplit(b"\x1b[K", 1)[1]


def test_a_long_backup_says_how_much_is_left(kura, terminal, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in "abc":
        (source / name).write_bytes(os.urandom(128 * MIB))
    (source / "sparse").touch()
    os.truncate(source / "sparse", 2048 * MIB)  # a hole counts, and is done at once
    screen = terminal(kura, "backup", source, "--threads", "1")
    screen.until(b"backing up")
    screen.process.send_signal(signal.SIGSTOP)  # so that it is long, whatever the machine
    time.sleep(0.6)
    screen.process.send_signal(signal.SIGCONT)
    assert screen.until_end() == 0
    assert re.search(rb"backing up .* of 2.4 GiB \(\d+ %\), .* left", screen.seen), screen.seen


def test_names_never_drive_the_terminal(kura, terminal, tmp_path):
    source = os.fsencode(tmp_path / "source")
    os.mkdir(source)
    hostile = [b"\x1b[31mred", b"bell\x07", b"line\nbreak", b"\xff\xfe", b"\r overwritten", b"\xc2\x9b31m", b"\x7f",
               "\u202egpj.exe".encode()]
    for name in hostile:
        with open(os.path.join(source, name), "w") as file:
            file.write("x")
    os.symlink(b"to\x1b]0;title\x07", source + b"/link")
    before = kura.backup(source)
    os.unlink(source + b"/" + hostile[0])
    kura.run("backup", source)
    shell = source.decode()
    for command in (["ls", "-lR", f"latest:{shell}"], ["find", "*", "--snapshot", "latest"],
                    ["diff", before, "latest"], ["snapshots"],
                    ["restore", f"latest:{shell}", "--target", tmp_path / "t", "--exclude", "\x1b[0m"],
                    ["backup", source + b"/\x1b[31mgone"], ["ls", b"latest:/\x1b[31mgone"], ["ls", b"\x1b[31m"],
                    ["-r", b"/no/\x1b[31m", "snapshots"], ["key", "list"],
                    ["restore", "latest", "--target", b"/dev/null/\x1b[31m"]):
        done = kura.run(*command, code=None)
        shown = done.out + done.err
        assert not set(shown) & ({*range(32), 127} - {10, 9}), (command, shown)
        shown.decode()  # and it is UTF-8
        assert "\u202e" not in shown.decode() and "\u009b" not in shown.decode()
    listed = kura.run("ls", f"latest:{shell}").out.decode().splitlines()
    assert len(listed) == len(hostile) and f"{shell}/line\\x0abreak" in listed and f"{shell}/\\xff\\xfe" in listed


@pytest.mark.parametrize("shell, check", [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])])
def test_completion_scripts_are_scripts_of_their_shell(shell, check, tmp_path):
    script = tmp_path / "script"
    script.write_bytes(subprocess.run([PROGRAM, "completion", shell], check=True, capture_output=True).stdout)
    for word in ("restore", "--overwrite", "snapshots") if shell != "fish" else ("restore", "overwrite", "snapshots"):
        assert word in script.read_text()
    if shutil.which(shell):
        done = subprocess.run([*check, script], capture_output=True)
        assert done.returncode == 0 and done.stderr == b"", done.stderr


def test_bash_completes_commands_and_flags():
    def completed(line):
        words = line.split(" ")
        script = (f'source <("{PROGRAM}" completion bash); COMP_WORDS=({" ".join(repr(w) for w in words)}); '
                  f'COMP_CWORD={len(words) - 1}; _kura; printf "%s\\n" "${{COMPREPLY[@]}}"')
        return subprocess.run(["bash", "-c", script], check=True, capture_output=True).stdout.decode().split()
    assert completed("kura rest") == ["restore"] and completed("kura key pass") == ["passphrase"]
    assert completed("kura restore latest --ov") == ["--overwrite"] and "--tag" in completed("kura backup --")
    assert "--recursive" in completed("kura -r backup ls --")  # the repository's name is no command


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_completes_commands_and_flags(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    screen = Terminal(["zsh", "-f", "-i"], environment)
    try:
        screen.type(f"autoload -U compinit && compinit -u -D; source <({PROGRAM} completion zsh); "
                    "kura() { echo GOT:$*: }; echo re''ady\n".encode())
        screen.until(b"ready")
        screen.type(b"kura rest\t latest --ov\t changed\n")
        screen.until(b"GOT:restore latest --overwrite changed:")
        assert b"not found" not in screen.seen
    finally:
        screen.close()


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
@pytest.mark.parametrize("command", ["", "backup", "restore", "key", "forget", "check", "init", "copy", "gc", "ls",
                                     "find", "diff", "dump", "snapshots", "stats", "version", "completion", "man"])
def test_manual_pages_are_clean_roff(command):
    page = subprocess.run([PROGRAM, "man", *command.split()], check=True, capture_output=True).stdout
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-c"], input=page, capture_output=True)
    shown = re.sub(r".\x08", "", done.stdout.decode())
    assert done.returncode == 0 and done.stderr == b"", done.stderr
    for section in ("NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES"):
        assert section in shown
    assert f"kura {command}".strip() in shown


def test_a_second_ctrl_c_ends_at_once(kura, tmp_path):
    (tmp_path / "big").write_bytes(os.urandom(128 * MIB))
    with running(kura.start("backup", tmp_path / "big")) as process:
        time.sleep(0.15)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        assert process.wait(10) in (130, -signal.SIGINT, 0)
    kura.assert_whole(keys=False)
