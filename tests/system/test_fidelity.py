"""What goes in comes out: every kind of entry, and every way to take only a part."""
import os
import shutil
import socket
import stat
import subprocess
import sys
import time

import pytest

import source_trees
from kura import MIB, NOBODY, Kura, mounted, needs_root, tree_of
from source_trees import differences, facts_of, make_tree, put


def without_sockets(facts):
    """They are listed in a snapshot, but not made by a restore: whoever listens makes his own."""
    return {path: fact for path, fact in facts.items() if fact["type"] != "socket"}


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    """A tree of all that is hard, and a folder of 10,000 names: (kura, source, its facts)."""
    folder = tmp_path_factory.mktemp("hard")
    source = os.fsencode(folder / "source")
    make_tree(source, seed=5, large=True)
    os.mkdir(source + b"/crowd")
    for i in range(10_000):
        put(source + b"/crowd/%d" % i, b"%d" % (i % 50))
    kura = Kura(folder)
    facts = without_sockets(facts_of(source))
    time.sleep(0.1)  # what changed in the same instant is read again next time
    kura.run("backup", source)
    return kura, source, facts


def test_a_hard_tree_comes_back_as_it_was(hard, tmp_path):
    kura, source, facts = hard
    target = kura.restored("latest", tmp_path / "target", "--verify")
    found = os.fsencode(target) + source
    assert differences(facts, facts_of(found)) == []
    for sparse in (b"holes", b"only-hole", b"hole-first"):
        assert os.stat(found + b"/sizes/" + sparse).st_blocks * 512 <= 2 * MIB
    assert without_sockets(facts_of(source)) == facts, "the backup changed its source"
    again = kura.json("restore", "latest", "--target", target).summary
    assert again["bytes_written"] == 0 and again["files_failed"] == 0
    subprocess.run(["rm", "-rf", target], check=True)


def test_a_second_restore_leaves_all_as_it_is(hard, tmp_path):
    kura, _, _ = hard
    target = kura.restored("latest", tmp_path / "target")
    assert kura.json("restore", "latest", "--target", target).summary["files_restored"] == 0


def test_an_unchanged_tree_is_not_read_again_and_check_opens_all(hard):
    kura, source, _ = hard
    summary = kura.json("backup", source).summary
    assert summary["files_unmodified"] == summary["files_total"]
    assert summary["bytes_read"] <= len("later"), "only the file whose time is still to come"
    # The folders above the source may have changed, and their listings with them.
    assert summary["chunks_new"] <= source.count(b"/") and summary["bytes_stored_new"] < 4 * MIB
    kura.assert_whole()
    before, after = (f"{snapshot}:{source.decode()}" for snapshot in kura.ids()[-2:])
    assert kura.json("diff", before, after, "--metadata").of_type("difference") == []


def test_every_name_is_found_and_dumped(hard):
    kura, source, facts = hard
    entries = kura.json("ls", "-R", b"latest:" + source).of_type("entry")
    assert len(entries) == len(facts_of(source)) - 1
    for name in (b"\xff" * 255, b"two\nlines", b"*", b"\x1b[31m"):
        dumped = kura.run("dump", b"latest:" + source + b"/names/" + name).out
        assert dumped == open(source + b"/names/" + name, "rb").read()
    for name in (b"holes", b"empty", b"text", b"only-hole"):
        assert kura.run("dump", b"latest:" + source + b"/sizes/" + name).out == open(source + b"/sizes/" + name,
                                                                                    "rb").read()


@needs_root
def test_acls_and_capabilities_set_by_debians_tools_come_back(tmp_path):
    source = tmp_path / "source"
    (source / "folder").mkdir(parents=True)
    for name in ("acl", "capable"):
        (source / name).write_text(name)
    subprocess.run(["setfacl", "-m", "u:12345:r,g:54321:rw", source / "acl"], check=True)
    subprocess.run(["setfacl", "-d", "-m", "u:12345:rwx", source / "folder"], check=True)
    subprocess.run(["setcap", "cap_net_bind_service,cap_dac_override+ep", source / "capable"], check=True)

    def shown(folder):
        return [subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout
                for command in (["getfacl", "-n", "acl", "folder"], ["getcap", "capable"])]
    kura = Kura(tmp_path)
    kura.run("backup", source)
    target = kura.restored(f"latest:{source}", tmp_path / "target")
    assert shown(target) == shown(source) and b"cap_net_bind_service" in shown(target)[1]


@needs_root
def test_owners_go_by_name_unless_numbers_are_wanted(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("x")
    shutil.chown(source / "file", "games", "games")
    kura = Kura(tmp_path)
    kura.run("backup", source)
    entry, = kura.json("ls", f"latest:{source}").of_type("entry")
    assert (entry["user"], entry["group"]) == ("games", "games")
    for flags in ([], ["--numeric-owner"]):
        target = kura.restored(f"latest:{source}", tmp_path / "target", *flags)
        status = (target / "file").stat()
        assert (status.st_uid, status.st_gid) == (entry["uid"], entry["gid"])


@needs_root
def test_an_ordinary_user_backs_up_and_restores_his_own(nobodys):
    folder, program = nobodys
    tests = folder / "tests"  # the helpers may lie where he cannot read
    tests.mkdir()
    shutil.copy(source_trees.__file__, tests / "source_trees.py")
    subprocess.run([*NOBODY, sys.executable, "-c", "import sys; sys.path.append(sys.argv[1]); import source_trees\n"
                    "source_trees.make_tree(sys.argv[2].encode(), 3, False)", tests, folder / "source"], check=True)
    kura = Kura(folder, program=program, before=NOBODY)
    facts = without_sockets(facts_of(os.fsencode(folder / "source")))
    kura.run("backup", folder / "source")
    target = kura.restored(f"latest:{folder}/source", folder / "target")
    assert differences(facts, facts_of(os.fsencode(target))) == []


@needs_root
def test_roots_snapshot_is_restored_by_an_ordinary_user_with_his_own_ownership(nobodys):
    folder, program = nobodys
    (folder / "source").mkdir()
    put(folder / "source" / "file", b"contents")
    os.mknod(folder / "source" / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    kura = Kura(folder)
    kura.run("backup", folder / "source")
    for path in (kura.repository, *kura.repository.rglob("*"), folder / "recovery-key"):
        os.chown(path, 65534, 65534)
    kura.before, kura.program = NOBODY, str(program)
    kura.environment["KURA_STATE_DIR"] = str(folder / "other-state")
    done = kura.json("restore", f"latest:{folder}/source", "--target", folder / "target", code=(0, 1))
    assert (folder / "target" / "file").read_bytes() == b"contents"
    assert (folder / "target" / "file").stat().st_uid == 65534
    assert any("null" in str(error["path"]) for error in done.errors) and not (folder / "target" / "null").exists()


@pytest.mark.parametrize("mode", ["never", "changed", "always"])
def test_restoring_over_what_is_there(tmp_path, mode):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir(), target.mkdir()
    for name in ("same", "other-size", "other-time", "missing", "was-folder", "was-link", "same-looks"):
        put(source / name, b"backed up " + name.encode(), mtime_ns=10**18)
    (source / "folder").mkdir()
    (source / "folder" / "inside").write_text("inside")
    (source / "link").symlink_to("new")
    kura = Kura(tmp_path)
    kura.run("backup", source)
    put(target / "same", b"backed up same", mtime_ns=10**18)
    put(target / "same-looks", b"somethingelse same-looks"[:20], mtime_ns=10**18)
    put(target / "other-size", b"other", mtime_ns=10**18)
    put(target / "other-time", b"BACKED UP OTHER-TIME", mtime_ns=10**18 + 1)
    (target / "was-folder").mkdir()
    (target / "was-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("not to be touched")
    (target / "link").symlink_to("old")
    (target / "extra").write_text("nobody's")
    done = kura.json("restore", f"latest:{source}", "--target", target, "--overwrite", mode, code=(0, 1))
    got = {path.name: path.read_bytes() for path in target.iterdir() if path.is_file() and not path.is_symlink()}
    assert got["extra"] == b"nobody's" and got["missing"] == b"backed up missing"
    assert (tmp_path / "elsewhere").read_text() == "not to be touched"
    assert (target / "folder" / "inside").read_text() == "inside"
    if mode == "never":
        assert got["other-size"] == b"other" and os.readlink(target / "link") == "old"
        assert (target / "was-link").is_symlink() and (target / "was-folder").is_dir()
    else:
        assert got["other-size"] == b"backed up other-size" and got["other-time"] == b"backed up other-time"
        assert got["was-link"] == b"backed up was-link" and os.readlink(target / "link") == "new"
        # A folder in the way is never deleted silently: it is replaced or it is named.
        assert got.get("was-folder") or any("was-folder" in str(e["path"]) for e in done.errors)
        assert (got["same-looks"] == b"backed up same-looks") is (mode == "always")


def test_restore_never_writes_through_planted_links(tmp_path):
    source, target, outside = tmp_path / "source", tmp_path / "target", tmp_path / "outside"
    (source / "folder" / "deeper").mkdir(parents=True)
    for name in ("file", "folder/file", "folder/deeper/file"):
        (source / name).write_text("backed up")
    outside.mkdir()
    (outside / "victim").write_text("precious")
    outside.chmod(0o711)
    kura = Kura(tmp_path)
    kura.run("backup", source)
    for mode in ("never", "changed", "always"):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        (target / "file").symlink_to(outside / "victim")
        (target / "folder").symlink_to(outside)
        kura.run("restore", f"latest:{source}", "--target", target, "--overwrite", mode, code=(0, 1))
        assert tree_of(outside) == {"victim": b"precious"} and outside.stat().st_mode & 0o777 == 0o711
        shutil.rmtree(target)
        (target / "folder").mkdir(parents=True)
        os.link(outside / "victim", target / "file")
        (target / "folder" / "deeper").symlink_to(outside)
        kura.run("restore", f"latest:{source}", "--target", target, "--overwrite", mode, code=(0, 1))
        assert tree_of(outside) == {"victim": b"precious"}


def test_a_part_is_restored(tmp_path):
    source = tmp_path / "source"
    (source / "docs" / "old").mkdir(parents=True)
    for name in ("a.txt", "docs/b.txt", "docs/c.doc", "docs/old/d.txt"):
        (source / name).write_text(name)
    kura = Kura(tmp_path)
    kura.run("backup", source)

    def files(*arguments):
        target = kura.restored(*arguments[:1], tmp_path / "target", *arguments[1:])
        return sorted(tree_of(target))
    below = str(source)[1:]
    assert files("latest") == [f"{below}/{n}" for n in ("a.txt", "docs/b.txt", "docs/c.doc", "docs/old/d.txt")]
    assert files(f"latest:{source}/docs") == ["b.txt", "c.doc", "old/d.txt"]
    assert files(f"latest:{source}/docs/") == ["b.txt", "c.doc", "old/d.txt"]
    assert files(f"latest:{source}/docs/b.txt") == ["b.txt"]
    assert files(f"latest:{source}", "--include", "*.txt") == ["a.txt", "docs/b.txt", "docs/old/d.txt"]
    assert files(f"latest:{source}", "--include", "*.txt", "--exclude", "old/") == ["a.txt", "docs/b.txt"]
    assert files(f"latest:{source}", "--exclude", "*.txt", "--exclude", "*.doc") == []
    assert files("latest", "--include", f"{source}/docs/old") == [f"{below}/docs/old/d.txt"]
    kura.run("restore", "latest", "--target", tmp_path / "dry", "--dry-run")
    assert not (tmp_path / "dry").exists()


def test_what_is_excluded_is_not_stored(tmp_path):
    source = tmp_path / "source"
    for name in ("keep/a.txt", "keep/a.tmp", "cache/x", "keep/cache/y", "build/z", "other/build"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    (tmp_path / "patterns").write_text("# comment\n\n*.tmp\r\nbuild/\n")
    kura = Kura(tmp_path)
    kura.run("backup", source, "--exclude-file", tmp_path / "patterns", "--exclude", f"{source}/cache")
    target = kura.restored(f"latest:{source}", tmp_path / "target")
    assert sorted(tree_of(target)) == ["keep/a.txt", "keep/cache/y", "other/build"]


@needs_root
def test_one_file_system_stays_on_it(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "here").write_text("here")
    kura = Kura(tmp_path)
    with mounted(source / "mounted", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs"):
        (source / "mounted" / "there").write_text("there")
        kura.run("backup", source, "--one-file-system")
        kura.run("backup", source)
    first, second = kura.ids()
    assert sorted(tree_of(kura.restored(f"{first}:{source}", tmp_path / "t1"))) == ["here"]
    assert (tmp_path / "t1" / "mounted").is_dir()
    assert sorted(tree_of(kura.restored(f"{second}:{source}", tmp_path / "t2"))) == ["here", "mounted/there"]


def test_paths_that_overlap_and_repeat_are_stored_once(tmp_path):
    source = tmp_path / "source"
    (source / "a").mkdir(parents=True)
    (source / "a" / "file").write_text("a")
    (source / "b").write_text("b")
    kura = Kura(tmp_path)
    summary = kura.json("backup", source / "a", source, source / "b", f"{source}/./a/../a/", cwd=tmp_path).summary
    assert summary["files_total"] == 2
    kura.run("backup", "source/a/..", "source", cwd=tmp_path)
    assert sorted(tree_of(kura.restored(f"latest:{source}", tmp_path / "t"))) == ["a/file", "b"]


def test_a_repository_inside_its_own_source_is_left_out(tmp_path):
    (tmp_path / "file").write_text("x")
    kura = Kura(tmp_path)
    for _ in range(3):
        summary = kura.json("backup", tmp_path).summary
    assert summary["files_total"] < 20
    names = {e["path"] for e in kura.json("ls", "-R", "latest").of_type("entry")}
    assert not [name for name in names if name.startswith(f"{tmp_path}/repository/packs")]
    kura.assert_whole()


def test_a_single_file_a_link_and_a_socket_are_sources_too(tmp_path):
    put(tmp_path / "file", b"alone")
    (tmp_path / "link").symlink_to("file")
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(tmp_path)
        bound.bind("socket")
    kura = Kura(tmp_path)
    kura.run("backup", "file", "link", "socket", cwd=tmp_path)
    target = kura.restored("latest", tmp_path / "t") / str(tmp_path)[1:]
    assert (target / "file").read_bytes() == b"alone" and os.readlink(target / "link") == "file"
    assert {e["kind"] for e in kura.json("ls", f"latest:{tmp_path}").of_type("entry")} == {"file", "symlink", "socket"}
    assert not (target / "socket").exists()
