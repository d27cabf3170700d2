"""What docs/cli.md promises to scripts: commands, flags, exit codes, JSON."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from kura import MIB, NOBODY, PASSPHRASE, PROGRAM, Kura, creep_until, mounted, needs_root, running, wait_until
from tiny_writer import TinyWriter, content

COMMANDS = {
    "init": ["--recovery-key-out", "--host", "--parity"],
    "backup": ["--tag", "--exclude", "--exclude-file", "--one-file-system", "--host", "--emergency", "--dry-run",
               "--threads"],
    "snapshots": ["--host", "--tag"],
    "ls": ["-l", "-R"],
    "find": ["--snapshot"],
    "diff": ["--metadata"],
    "dump": [],
    "restore": ["--target", "--include", "--exclude", "--overwrite", "--verify", "--dry-run", "--numeric-owner",
                "--threads"],
    "mount": ["--allow-other", "--patience"],
    "check": ["--read-data", "--repair", "--dry-run", "--threads"],
    "copy": ["--to"],
    "forget": ["--keep-hourly", "--keep-daily", "--keep-weekly", "--keep-monthly", "--keep-yearly", "--keep-within",
               "--dry-run"],
    "gc": ["--dry-run", "--keep-orphans"],
    "key": ["list", "add", "remove", "passphrase"],
    "stats": [],
    "version": [],
    "completion": ["bash"],
    "man": [],
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ID = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two snapshots of a few files: (kura, source)."""
    folder = tmp_path_factory.mktemp("small")
    source = folder / "source"
    (source / "below").mkdir(parents=True)
    (source / "report.txt").write_text("quarterly\n")
    (source / "below" / "image.iso").write_bytes(os.urandom(MIB))
    (source / "link").symlink_to("report.txt")
    kura = Kura(folder, "--host", "desk")
    kura.run("backup", source, "--tag", "first", "--host", "desk")
    (source / "report.txt").write_text("quarterly, corrected\n")
    (source / "new.txt").write_text("new\n")
    (source / "below" / "image.iso").chmod(0o600)
    time.sleep(0.1)  # what changed in the same instant is read again next time
    kura.run("backup", source, "--tag", "second", "--host", "desk")
    return kura, source


@pytest.fixture(scope="module")
def big_source(tmp_path_factory):
    """Enough that a backup of it can be met at work."""
    folder = tmp_path_factory.mktemp("big") / "source"
    folder.mkdir()
    for i in range(6):
        (folder / f"{i}").write_bytes(os.urandom(64 * MIB))
    return folder


def run_alone(*arguments):
    return subprocess.run([PROGRAM, *arguments], env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=30)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_its_flags_and_an_example(command):
    overview = run_alone("--help")
    assert overview.returncode == 0 and re.search(rf"^ +{command}\b", overview.stdout.decode(), re.M)
    done = run_alone(command, "--help")
    assert done.returncode == 0 and done.stderr == b""
    text = done.stdout.decode()
    assert re.search(rf"Examples?:.*kura (-r \S+ )?{command}\b", text, re.S), "no example"
    assert [flag for flag in COMMANDS[command] if not re.search(rf"(^|[\s,])({flag})\b", text)] == []


@pytest.mark.parametrize("arguments", [
    [], ["no-such-command"], ["backup"], ["restore", "latest"], ["restore", "--target", "x"], ["ls"],
    ["diff", "latest"], ["key"], ["key", "no-such"], ["key", "remove"], ["copy"], ["forget"], ["forget", "--keep-daily", "-1"],
    ["forget", "--keep-daily", "many"], ["forget", "--keep-within", "5x"], ["forget", "latest", "--keep-daily", "3"],
    ["check", "--read-data=150%"], ["check", "--read-data=-1"], ["check", "--read-data=nan"],
    ["gc", "--keep-orphans", "soon"],
    ["backup", "--threads", "x", "."], ["backup", "--exclude", "[a", "."], ["completion", "tcsh"], ["man", "no-such"],
    ["restore", "latest", "--target", "x", "--overwrite", "sometimes"], ["ls", "latest:relative"], ["ls", ":/x"],
    ["ls", "zzzz"], ["ls", "abc"], ["dump", "latest:/"], ["snapshots", "--no-such-flag"], ["snapshots", "superfluous"],
    ["key", "add", "--machine", "--out", "x"], ["dump", "--json", "latest:/x"],
], ids=" ".join)
def test_wrong_usage_is_exit_code_2_and_says_why(small, tmp_path, arguments):
    kura, _ = small
    done = kura.run(*arguments, code=2, cwd=tmp_path)
    assert len(done.err) > 10 or done.out.startswith(b'{"type":"error"')
    assert os.listdir(tmp_path) == []


def test_a_command_that_there_is_not_is_named(tmp_path):
    done = run_alone("bckup", tmp_path)
    assert done.returncode == 2 and b"no command 'bckup'" in done.stderr and done.stdout == b""
    done = run_alone("key", "ad")
    assert done.returncode == 2 and b"kura key --help" in done.stderr


def test_kura_alone_says_how_to_begin():
    done = run_alone()
    assert done.returncode == 2 and b"Start here" in done.stderr and done.stdout == b""


def test_no_repository_named_is_wrong_usage(tmp_path):
    for command in (["init"], ["snapshots"], ["backup", "."]):
        done = run_alone("--state-dir", tmp_path / "state", *command)
        assert done.returncode == 2 and b"KURA_REPO" in done.stderr


def test_what_does_not_exist_is_exit_code_1_and_named(small, tmp_path):
    kura, source = small
    for arguments, named in (
            (["ls", "0123456789"], "0123456789"), (["ls", "latest:/nothing"], "/nothing"),
            (["-r", tmp_path / "nothing", "snapshots"], "nothing"), (["dump", f"latest:{source}/gone"], "gone"),
            (["restore", "latest:/nothing", "--target", tmp_path / "t"], "/nothing"),
            (["key", "remove", "0123456789"], "0123456789"), (["forget", "0123456789"], "0123456789")):
        done = kura.run(*arguments, code=1)
        assert named in done.err.decode() and done.out == b"", arguments
        done = kura.json(*arguments, code=None) if arguments[0] != "dump" else None
        if done:
            assert done.code == 1 and done.lines[-1]["type"] == "error" and done.err == b"", arguments
            assert named in json.dumps(done.lines[-1]) and done.lines[-1]["code"] in ("not_found",), done.lines
    assert not (tmp_path / "t").exists()


def test_a_source_that_does_not_exist_is_an_error_and_makes_no_snapshot(small, tmp_path):
    kura, source = small
    before = kura.ids()
    done = kura.json("backup", source, tmp_path / "no-such", code=(1, 2))
    assert "no-such" in done.errors[0]["message"] + str(done.errors[0]["path"])
    assert kura.ids() == before


def test_the_json_of_a_backup(small):
    kura, source = small
    summary = kura.json("backup", source, "--dry-run", "--host", "desk").summary
    assert summary["dry_run"] is True and summary["snapshot_id"] is None
    summary = kura.json("backup", source, "--host", "desk").summary
    assert ID.fullmatch(summary["snapshot_id"])
    kura.run("forget", summary["snapshot_id"])
    numbers = {name: summary[name] for name in (
        "files_total", "files_new", "files_changed", "files_unmodified", "files_failed", "folders_total", "bytes_total",
        "bytes_read", "bytes_stored_new", "chunks_new", "chunks_reused", "seconds")}
    assert all(isinstance(n, (int, float)) and n >= 0 for n in numbers.values())
    assert (numbers["files_total"], numbers["files_unmodified"], numbers["files_new"]) == (3, 3, 0)
    assert numbers["bytes_total"] == MIB + len("quarterly, corrected\n") + 4 and numbers["bytes_read"] == 0
    assert summary["verdict"] in ("clean", "unjudged", "suspect", "attacked") and summary["evidence"] == []


def test_the_json_of_snapshots(small):
    kura, source = small
    done = kura.json("snapshots")
    first, second = done.of_type("snapshot")
    assert done.summary["snapshots"] == 2
    assert set(first) >= {"id", "parent", "number", "machine", "time", "received", "host", "paths", "tags", "files",
                          "bytes", "verdict", "locked_until"}
    assert first["parent"] is None and second["parent"] == first["id"] and ID.fullmatch(first["id"])
    assert (first["number"], second["number"], first["files"], second["files"]) == (1, 2, 2, 3)
    assert first["host"] == "desk" and first["paths"] == [str(source)] and second["tags"] == ["second"]
    assert TIME.fullmatch(first["time"]) and TIME.fullmatch(first["received"]) and first["locked_until"] is None
    assert [s["id"] for s in kura.json("snapshots", "--tag", "first").of_type("snapshot")] == [first["id"]]
    assert kura.json("snapshots", "--host", "elsewhere").of_type("snapshot") == []
    stranger = kura.json("snapshots", "--state-dir", kura.folder / "no-state", keys=False).of_type("snapshot")
    assert [s["id"] for s in stranger] == [first["id"], second["id"]]
    labels = ("host", "paths", "tags", "files", "bytes", "verdict")
    assert [name for name in labels if stranger[0][name] is not None] == []


def test_the_json_of_ls_find_and_diff(small):
    kura, source = small
    listed = {e["path"]: e for e in kura.json("ls", "-R", f"latest:{source}").of_type("entry")}
    assert set(listed) == {f"{source}/{name}" for name in
                           ("report.txt", "below", "below/image.iso", "link", "new.txt")}
    iso, link = listed[f"{source}/below/image.iso"], listed[f"{source}/link"]
    assert iso["kind"] == "file" and iso["size"] == MIB and iso["mode"] == 0o600 and TIME.fullmatch(iso["mtime"])
    assert iso["uid"] == os.getuid() and iso["gid"] == os.getgid() and {"user", "group", "target"} <= set(iso)
    assert link["target"] == "report.txt"
    found = kura.json("find", "*.iso", "--snapshot", "latest").of_type("entry")
    assert [e["path"] for e in found] == [f"{source}/below/image.iso"] and found[0]["size"] == MIB
    first, second = kura.ids()
    changes = {d["path"]: d["change"] for d in kura.json("diff", first, second).of_type("difference")}
    assert changes == {f"{source}/report.txt": "modified", f"{source}/new.txt": "added"}
    changes = {d["path"]: d["change"] for d in kura.json("diff", second, first, "--metadata").of_type("difference")}
    assert changes[f"{source}/new.txt"] == "removed" and changes[f"{source}/below/image.iso"] == "metadata"


def test_the_json_of_restore_check_forget_and_keys(small, tmp_path):
    kura, source = small
    summary = kura.json("restore", f"latest:{source}", "--target", tmp_path / "t", "--verify").summary
    assert summary["snapshot_id"] == kura.ids()[-1]
    assert (summary["files_restored"], summary["files_skipped"], summary["files_failed"]) == (3, 0, 0)
    assert {"folders", "others", "seconds"} <= set(summary)
    assert summary["bytes_verified"] == summary["bytes_written"] == MIB + len("quarterly, corrected\n") + 4
    for keys in (False, True):
        summary = kura.json("check", keys=keys).summary
        assert summary["opened"] is keys and summary["errors"] == 0 and summary["snapshots"] == 2
        assert {"objects", "bytes_read", "packs", "indexes", "keys", "chunks_opened", "orphan_packs", "parity_shards",
                "parity_bytes", "packs_unprotected", "packs_weak", "seconds"} <= set(summary)
        assert (summary["chunks_opened"] > 0) is keys
    decisions = kura.json("forget", "--keep-daily", "1", "--dry-run").of_type("snapshot")
    assert [set(d) >= {"id", "time", "received", "keep", "reasons"} for d in decisions] == [True, True]
    assert all(d["keep"] and d["reasons"] for d in decisions)
    keys = kura.json("key", "list").of_type("key")
    assert [(k["kind"], k["label"], k["this_machine"]) for k in keys] == [("machine", "desk", True)]
    assert ID.fullmatch(keys[0]["id"]) and TIME.fullmatch(keys[0]["created"])
    assert kura.json("stats").summary["snapshots"] == 2 and "version" in kura.json("version").summary


@needs_root
def test_times_of_files_in_any_year(tmp_path):
    kura = Kura(tmp_path)
    years = {"1600": "1600-02-03T04:05:06Z", "1969": "1969-12-31T23:59:59Z", "2400": "2400-02-29T01:02:03Z",
             "9999": "9999-12-31T23:59:59Z", "12000": "9999-12-31T23:59:59Z"}  # RFC 3339 ends with the year 9999
    with mounted(tmp_path / "source", "-t", "tmpfs", "-o", "size=1m", "tmpfs") as source:  # holds 64 bits of seconds
        for year, time_of_file in years.items():
            (source / year).touch()
            when = time_of_file if year != "12000" else f"@{253_402_300_800 + 63_000_000_000}"
            subprocess.run(["touch", "-d", when, source / year], check=True)
        kura.run("backup", source)
        listed = {e["path"]: e["mtime"] for e in kura.json("ls", f"latest:{source}").of_type("entry")}
        assert listed == {f"{source}/{year}": text for year, text in years.items()}
        assert "2400-02-29T01:02:03Z" in kura.run("ls", "-l", f"latest:{source}").out.decode()
        with mounted(tmp_path / "target", "-t", "tmpfs", "-o", "size=1m", "tmpfs") as target:
            kura.run("restore", f"latest:{source}", "--target", target)
            for year in years:
                assert (target / year).stat().st_mtime == (source / year).stat().st_mtime


def test_a_snapshot_is_named_by_latest_or_a_unique_prefix(small):
    kura, source = small
    for snapshot in kura.ids():
        for name in (snapshot, snapshot[:4], snapshot[:4].upper()):
            assert kura.json("ls", f"{name}:{source}").summary["snapshot_id"] == snapshot
        kura.run("ls", snapshot[:3], code=2)
    assert kura.json("ls", "latest").summary["snapshot_id"] == kura.ids()[-1]


def test_an_ambiguous_prefix_is_refused_and_candidates_are_shown(tmp_path):
    writer = TinyWriter(tmp_path / "repository")
    seen, pair = {}, None
    while not pair:
        id = writer.snapshot(writer.label(content()), []).hex()
        pair = seen.get(id[:4]) and (seen[id[:4]], id)
        seen[id[:4]] = id
    (tmp_path / "recovery-key").write_text(writer.recovery_key())
    kura = Kura(tmp_path, init=False)
    done = kura.run("ls", pair[0][:4], code=2)
    assert all(id[:8].encode() in done.err for id in pair)
    assert kura.json("ls", pair[0][:20]).summary["snapshot_id"] == pair[0]


def test_in_a_pipe_there_is_only_the_result(small):
    kura, source = small
    done = kura.run("backup", source, "--dry-run")
    assert done.err == b"" and b"\r" not in done.out and b"\x1b" not in done.out
    quiet = kura.run("backup", source, "--dry-run", "--quiet")
    assert quiet.err == b"" and len(quiet.out.splitlines()) == 1


def test_ctrl_c_ends_a_backup_with_130_and_nothing_is_visible(big_source, tmp_path):
    kura = Kura(tmp_path)
    for flags in ([], ["--json"]):
        packs = len(kura.objects("packs"))
        with running(kura.start("backup", big_source, *flags)) as process:
            creep_until(process, lambda: kura.objects("leases") and len(kura.objects("packs")) > packs)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGCONT)
            out, err = process.communicate(timeout=20)
            assert process.returncode == 130, (out, err)
            assert b"interrupted" in out + err
        assert kura.snapshots() == [] and kura.objects("leases") == []
        assert list((kura.repository / "tmp").glob("*")) == []
    assert kura.json("backup", big_source).summary["chunks_reused"] > 0
    kura.assert_whole()


def test_json_shows_progress_while_it_works(big_source, tmp_path):
    kura = Kura(tmp_path)
    process = kura.start("backup", big_source, "--json", "--threads", "1")
    with running(process):
        wait_until(lambda: kura.objects("leases"))
        process.send_signal(signal.SIGSTOP)  # so that a second passes whatever the speed of the machine
        time.sleep(1.2)
        process.send_signal(signal.SIGCONT)
        lines = [json.loads(line) for line in process.communicate(timeout=60)[0].splitlines()]
    progress = [line for line in lines if line["type"] == "progress"]
    assert progress and set(progress[0]) >= {"seconds", "files_done", "files_total", "bytes_done", "bytes_total",
                                             "bytes_stored", "problems"}
    assert lines[-1]["type"] == "summary"


def test_the_state_folder_follows_the_xdg_rules_and_the_repository_may_be_a_url(nobodys):
    folder, program = nobodys
    (folder / "source").mkdir()
    for environment, state in (({"XDG_STATE_HOME": str(folder / "xdg")}, folder / "xdg/kura"),
                               ({}, folder / ".local/state/kura")):
        base = {"PATH": os.environ["PATH"], "HOME": str(folder), "KURA_PASSPHRASE": PASSPHRASE, **environment}
        url = f"file://{folder}/repository-{len(environment)}"
        for command in (["init"], ["backup", str(folder / "source")]):
            subprocess.run([*NOBODY, program, "-r", url, *command], env=base, check=True, capture_output=True)
        key, = state.rglob("machine.key")
        assert key.stat().st_mode & 0o777 == 0o600


def test_init_leaves_what_is_there_alone(small, tmp_path):
    kura, _ = small
    before = kura.objects()
    done = kura.json("init", "--recovery-key-out", tmp_path / "key", code=1)
    assert done.errors[0]["code"] == "exists" and kura.objects() == before and not (tmp_path / "key").exists()
    (tmp_path / "key").write_text("precious")
    done = kura.json("-r", tmp_path / "other", "init", "--recovery-key-out", tmp_path / "key", code=1)
    assert (tmp_path / "key").read_text() == "precious" and not (tmp_path / "other").exists()
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "letter").write_text("precious")
    kura.json("-r", tmp_path / "documents", "init", "--recovery-key-out", tmp_path / "key2", code=1)
    assert os.listdir(tmp_path / "documents") == ["letter"] and not (tmp_path / "key2").exists()


def test_output_that_cannot_be_written_is_not_a_success(small):
    kura, source = small
    for command in (["dump", f"latest:{source}/report.txt"], ["ls", "-R", "latest", "--json"], ["snapshots"]):
        with open("/dev/full", "wb") as full:
            done = kura.run(*command, stdout=full, code=None)
        assert done.code == 1 and ("--json" in command or b"No space left" in done.err), command


def closed(*descriptors):
    return {"preexec_fn": lambda: [os.close(descriptor) for descriptor in descriptors]}


def test_closed_standard_streams_are_an_error_and_no_file_takes_their_place(small):
    kura, source = small
    done = kura.run("snapshots", code=1, **closed(1))
    assert b"cannot write to standard output: Bad file descriptor" in done.err
    for command in (["backup", source], ["backup", source, "--json"], ["gc"], ["init"]):
        kura.run(*command, code=None, **closed(0, 1, 2))
    assert kura.json("check").summary["errors"] == 0


def test_an_empty_variable_is_no_passphrase(small):
    kura, _ = small
    done = kura.json("check", keys=False, env={"KURA_PASSPHRASE_FILE": ""}, start_new_session=True)
    assert done.summary["opened"] is False


def test_threads_may_be_any_number(small, tmp_path):
    kura, source = small
    for threads in ("1", "3", "64"):
        kura.run("backup", source, "--dry-run", "--threads", threads)
        kura.run("restore", "latest", "--target", tmp_path / threads, "--threads", threads)
        kura.run("check", "--threads", threads)
    for command in (["backup", source, "--dry-run"], ["check"], ["restore", "latest", "--target", tmp_path / "many"]):
        kura.run(*command, "--threads", "4000000000", code=(0, 2))


def test_only_a_share_of_the_data_is_read_when_asked(small):
    kura, _ = small
    whole = kura.json("check", keys=False).summary["bytes_read"]
    none = kura.json("check", "--read-data=0", keys=False).summary["bytes_read"]
    assert none < whole // 4 and kura.json("check", "--read-data=50%", keys=False).summary["bytes_read"] <= whole
