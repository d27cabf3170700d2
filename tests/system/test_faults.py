"""Wrong keys, no repository, full and read-only disks: what is said, and that nothing is spoilt."""
import os
import random
import shutil
import subprocess

from kura import MIB, NOBODY, Kura, fill, mounted, needs_root, tree_of

PASSPHRASE = "correct horse battery"


def test_a_folder_that_is_no_repository_is_refused(original, tmp_path):
    kura, source, _ = original
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    shutil.copytree("/usr/share/doc/bash", tmp_path / "documents")
    for place in ("empty", "file", "documents", "missing"):
        for command in (["snapshots"], ["backup", source], ["check"], ["gc"],
                        ["restore", "latest", "--target", tmp_path / "t"]):
            done = kura.json("-r", tmp_path / place, *command, code=(1, 2))
            assert place in done.errors[-1]["message"], done
    assert not (tmp_path / "missing").exists() and os.listdir(tmp_path / "empty") == []


def test_a_wrong_key_opens_nothing(tmp_path, original):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "f").write_text("x")
    kura = Kura(tmp_path, passphrase=PASSPHRASE)
    kura.run("backup", tmp_path / "source")
    for wrong in ("wr0ng-pa55", PASSPHRASE + " ", PASSPHRASE[:-1], "\udcff" * 1000):
        for command in (["ls", "latest"], ["check"], ["key", "add"], ["key", "passphrase"],
                        ["restore", "latest", "--target", tmp_path / "t"]):
            done = kura.json(*command, code=1, env={"KURA_PASSPHRASE": wrong, "KURA_NEW_PASSPHRASE": "new"})
            assert done.errors[-1]["code"] == "wrong_key" and wrong not in str(done.lines), command
    assert not (tmp_path / "t").exists()
    foreign = original[0].folder / "recovery-key"
    done = kura.json("ls", "latest", "--recovery-key", foreign, code=(1, 4))
    assert done.errors[-1]["code"] in ("wrong_key", "damaged", "not_found"), done.lines
    for text in ("", "garbage\n", foreign.read_text()[:-9] + "\n"):
        (tmp_path / "bad-key").write_text(text)
        kura.json("ls", "latest", "--recovery-key", tmp_path / "bad-key", code=(1, 2, 4))


def test_another_machine_with_a_key_file_restores_without_any_state(original, tmp_path):
    kura, source, contents = original
    last = list(contents)[-1]
    kura.run("restore", f"{last}:{source}", "--target", tmp_path / "t", "--state-dir", tmp_path / "no-state")
    assert tree_of(tmp_path / "t") == contents[last] and not (tmp_path / "no-state").exists()
    done = kura.json("backup", source, "--state-dir", tmp_path / "no-state", keys=False, code=1)
    assert "kura key add --machine" in str(done.errors[-1])


@needs_root
def test_a_full_disk_fails_the_backup_and_spoils_nothing(tmp_path):
    source = fill(tmp_path / "source", 6, MIB, random.Random(3))
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=16m", "tmpfs"):
        kura = Kura(tmp_path / "disk")
        shutil.move(kura.state, tmp_path / "state")
        kura.environment["KURA_STATE_DIR"] = str(tmp_path / "state")
        kura.run("backup", source)
        fill(source / "more", 30, MIB, random.Random(4))
        for _ in range(2):
            done = kura.json("backup", source, code=1)
            assert done.errors[-1]["code"] == "no_space", done.lines
        assert len(kura.snapshots()) == 1
        kura.assert_whole()
        shutil.rmtree(source / "more")
        done = kura.json("gc", "--keep-orphans", "0s", code=None)
        assert done.code == 0, "a full disk must be able to get space back"
        kura.run("backup", source)
        kura.assert_whole()


@needs_root
def test_a_full_disk_fails_the_restore_and_says_which_files(original, tmp_path):
    kura, source, contents = original
    last = list(contents)[-1]
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=2m", "tmpfs") as disk:
        done = kura.json("restore", f"{last}:{source}", "--target", disk / "t", code=1)
        assert "no_space" in {error["code"] for error in done.errors}
        got = tree_of(disk / "t")
        whole = {name for name in got if got[name] == contents[last].get(name)}
        names = {name for name in got if name in contents[last]}
        assert names == whole, "a file under its own name is whole"
        if done.lines[-1]["type"] == "summary":
            assert done.summary["files_failed"] == len(contents[last]) - len(names)
    # The same command again, with room: only what is missing is written.


@needs_root
def test_a_read_only_repository_can_be_read(original, tmp_path):
    kura, source, contents = original
    last = list(contents)[-1]
    with mounted(tmp_path / "mount", "--bind", kura.repository) as mount:
        subprocess.run(["mount", "-o", "remount,ro,bind", mount], check=True)
        on_it = Kura(tmp_path, init=False)
        on_it.environment["KURA_REPO"] = str(mount)
        on_it.environment["KURA_STATE_DIR"] = str(kura.state)
        on_it.keys = kura.keys
        assert len(on_it.snapshots()) == 3
        on_it.assert_whole(keys=False), on_it.assert_whole()
        assert tree_of(on_it.restored(f"{last}:{source}", tmp_path / "t")) == contents[last]
        on_it.run("diff", *on_it.ids()[:2]), on_it.run("find", "file-*"), on_it.run("stats"), on_it.run("key", "list")
        on_it.run("forget", "--keep-daily", "1", "--dry-run"), on_it.run("gc", "--dry-run")
        on_it.run("copy", "--to", tmp_path / "twin")
        for command in (["backup", source], ["forget", last], ["gc"]):
            done = on_it.json(*command, code=1)
            assert done.errors[-1]["code"] == "denied" and "read-only" in str(done.errors[-1]).lower(), done.lines


@needs_root
def test_a_repository_that_belongs_to_somebody_else_is_denied(original, nobodys):
    kura, source, _ = original
    folder, program = nobodys
    shutil.copytree(kura.repository, folder / "repository")
    theirs = Kura(folder, init=False, program=program, before=NOBODY)
    theirs.keys = {}
    for command in (["snapshots"], ["check"], ["backup", "/etc/hostname"]):
        done = theirs.json(*command, code=1)
        assert done.errors[-1]["code"] == "denied" and str(folder / "repository") in done.errors[-1]["message"]


@needs_root
def test_a_target_that_may_not_be_written_is_denied(nobodys):
    folder, program = nobodys
    (folder / "source").mkdir()
    (folder / "source" / "f").write_text("x")
    kura = Kura(folder, program=program, before=NOBODY)
    kura.run("backup", folder / "source")
    (folder / "target").mkdir()
    (folder / "target").chmod(0o755)
    done = kura.json("restore", f"latest:{folder}/source", "--target", folder / "target", code=1)
    assert {e["code"] for e in done.errors} == {"denied"} and str(done.errors).count("target")
    kura.json("restore", "latest", "--target", "/proc/nothing", code=1)
