"""The attack simulator stays where it is let, does the same for the same seed, and says truly what it did; benign work leaves
files that the programs they belong to find whole."""
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from attack import benign, benign_trees  # noqa: E402
from attack.carry_out import EPOCH, Journal, VirtualClock, carry_out  # noqa: E402
from attack.confine import MARKER, Folder, Refused, mark  # noqa: E402
from attack.local import Local  # noqa: E402
from attack.modes import CIPHERS, KEY_BLOB, MODES, changed_ranges, file_key, keystream, transformed, xor  # noqa: E402
from attack.plan import NAMINGS, SPEEDS, WAYS, Options, make_plan  # noqa: E402
from attack.samba import Samba  # noqa: E402
from kura import needs_root  # noqa: E402
from network import Network  # noqa: E402
from samba_server import PORT, SHARE, SambaServer  # noqa: E402

SIZES = (1, 15, 4096, 70_000, 300_000)


def fill(folder: Path, seed: int = 1) -> dict[str, bytes]:
    """Files in a few folders, with names that are hard to say."""
    chance = random.Random(seed)
    contents = {}
    for place in ("", "letters/", "letters/2026 年/", "a b/", "x'$(y)/"):
        for number, size in enumerate(SIZES):
            contents[f"{place}report {number}.docx"] = chance.randbytes(size)
    for path, data in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return contents


def tree_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink() and path.name != MARKER}


@pytest.fixture
def marked(tmp_path):
    """A folder that may be destroyed, and what is in it."""
    folder = tmp_path / "share"
    folder.mkdir()
    contents = fill(folder)
    mark(folder)
    return folder, contents


def attack(folder: Path, journal: Path, options: Options, clock: VirtualClock | None = None) -> list[dict[str, object]]:
    with Folder(folder) as confined, Journal(journal, folder) as lines:
        back_end = Local(confined)
        carry_out(make_plan(back_end.files(), options), back_end, lines, clock)
    return journal_of(journal)


def journal_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def check_truth(journal: list[dict[str, object]], before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """The journal tells exactly what became of every file."""
    files = [line for line in journal if line["path"]]
    assert sorted(str(line["path"]) for line in files) == sorted(before)
    assert sorted(str(line["new_path"]) for line in journal) == sorted(after)
    for line in files:
        old, new = before[str(line["path"])], after[str(line["new_path"])]
        assert line["sha256_before"] == hashlib.sha256(old).hexdigest()
        assert line["sha256_after"] == hashlib.sha256(new).hexdigest()
        assert line["changed"] == (old != new)


# ---- What it does to contents ----

@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("name", MODES)
def test_each_mode_changes_exactly_the_bytes_it_says(name, cipher):
    mode = MODES[name]
    for size in (*SIZES, 2_500_000):
        data, key = random.Random(size).randbytes(size), file_key(7, f"{name} {size}")
        after, stream = transformed(name, data, cipher, key), keystream(cipher, key, size)
        ranges = changed_ranges(mode, size, key)
        if ranges is None:
            assert after != data
            assert len(after) == size + KEY_BLOB if name == "footer" else name.startswith(("base64", "hex")) or len(after) == size
            continue
        expected = bytearray(data)
        for offset, length in ranges:
            assert length > 0 and offset + length <= size
            expected[offset:offset + length] = xor(data[offset:offset + length], stream[offset:offset + length])
        assert after == bytes(expected)


def test_ranges_are_those_that_the_modes_are_named_after():
    key = file_key(1, "")
    assert changed_ranges(MODES["header-4k"], 10_000, key) == [(0, 4096)]
    assert changed_ranges(MODES["16-16"], 70, key) == [(0, 16), (32, 16), (64, 6)]
    assert changed_ranges(MODES["64-128"], 300, key) == [(0, 64), (192, 64)]
    assert changed_ranges(MODES["sparse"], 200_000, key) == [(65_536, 4096), (131_072, 4096), (196_608, 3392)]
    assert changed_ranges(MODES["sparse"], 65_536, key) == []
    assert changed_ranges(MODES["chunks-1m"], 5 << 20, key) == [(0, 1 << 20), (3 << 20, 1 << 20)]
    chosen = changed_ranges(MODES["n-of-m"], 100 * 4096, key)
    assert [sum(begin <= offset < begin + 40_960 for offset, _ in chosen) for begin in range(0, 409_600, 40_960)] == [3] * 10


# ---- Ways, names, speeds, clients ----

@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("way", WAYS)
def test_the_journal_is_true(marked, tmp_path, way, naming):
    folder, before = marked
    options = Options(seed=3, modes=("full", "sparse", "footer", "base64", "16-16"), way=way, naming=naming, notes=("en", "ja"), clients=8)
    journal = attack(folder, tmp_path / "journal", options)
    after = tree_of(folder)
    check_truth(journal, before, after)
    assert len([line for line in journal if line["mode"] == "note"]) == 2 * 5, "two notes in each folder"
    for line in journal:
        if line["path"]:
            expected = transformed(str(line["mode"]), before[str(line["path"])], options.cipher, file_key(3, str(line["path"])))
            assert after[str(line["new_path"])] == expected
            assert (line["path"] == line["new_path"]) == (naming == "keep")


def test_the_same_seed_does_the_same(tmp_path):
    results = []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / f"share-{number}"
        folder.mkdir()
        fill(folder)
        mark(folder)
        journal = attack(folder, tmp_path / f"journal-{number}", Options(seed=seed, modes=tuple(MODES), naming="random", way="new-unlink", notes=("de",)))
        results.append((journal, tree_of(folder)))
    assert results[0] == results[1]
    assert results[0] != results[2]


def test_speed_and_clients(marked, tmp_path):
    """Each client does a file an hour; no two have one folder; nobody waits."""
    folder, before = marked
    moments: list[float] = []
    journal = attack(folder, tmp_path / "journal", Options(speed="hour", clients=8), VirtualClock(moved=moments.append))
    assert moments == sorted(moments) and moments[0] == EPOCH
    by_client: dict[object, list[str]] = {}
    for line in journal:
        by_client.setdefault(line["client"], []).append(str(line["time"]))
        assert int((folder / str(line["new_path"])).stat().st_mtime - EPOCH) % int(SPEEDS["hour"]) == 0
    assert len(by_client) > 1
    assert all(len(set(times)) == len(times) for times in by_client.values())
    folders = {(os.path.dirname(str(line["path"])), line["client"]) for line in journal}
    assert len(folders) == len({name for name, _ in folders})
    assert moments[-1] - moments[0] == 3600 * (max(map(len, by_client.values())) - 1)


# ---- It stays where it is let ----

def test_without_a_marker_nothing_happens(tmp_path):
    before = fill(tmp_path / "share")
    with pytest.raises(Refused, match="no marker"):
        Folder(tmp_path / "share")
    (tmp_path / "share" / MARKER).write_text("something else")
    with pytest.raises(Refused, match="not the simulator's own"):
        Folder(tmp_path / "share")
    (tmp_path / "share" / MARKER).unlink()
    outside = tmp_path / "marker"
    outside.write_bytes(b"")
    (tmp_path / "share" / MARKER).symlink_to(outside)
    with pytest.raises(Refused, match="no marker"):
        Folder(tmp_path / "share")
    assert tree_of(tmp_path / "share") == before


@pytest.mark.parametrize("place", ["/", "/etc", "/usr/share", "/home", "/home/somebody", "/root", "/var", "/tmp", "/dev/shm", "/proc/self", str(ROOT), str(ROOT / "tests")])
def test_places_that_nobody_means_are_refused(place):
    with pytest.raises(Refused):
        mark(Path(place))
    with pytest.raises(Refused):
        Folder(place)
    assert not (Path(place) / MARKER).exists()


def test_a_home_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "home" / "documents").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for place in (tmp_path, tmp_path / "home"):
        with pytest.raises(Refused, match="home"):
            mark(place)


def test_links_out_are_not_followed(marked, tmp_path):
    folder, before = marked
    outside = tmp_path / "outside"
    others = fill(outside, 2)
    (folder / "link to a file").symlink_to(outside / "report 0.docx")
    (folder / "link to a folder").symlink_to(outside)
    os.link(outside / "report 3.docx", folder / "second name.docx")
    os.mkfifo(folder / "pipe")
    with pytest.raises(Refused, match="symbolic link"):
        (tmp_path / "way in").symlink_to(folder)
        Folder(tmp_path / "way in")
    journal = attack(folder, tmp_path / "journal", Options(naming="locked", notes=("en",)))
    assert tree_of(outside) == others
    assert sorted(str(line["path"]) for line in journal if line["path"]) == sorted(before)
    with Folder(folder) as confined:
        back_end = Local(confined)
        for path in ("../outside/report 0.docx", "/etc/hostname", "link to a folder/report 0.docx", "link to a file", "second name.docx", "a//b", "pipe", MARKER):
            for touch in (lambda path: back_end.read([path]), lambda path: back_end.overwrite(path, b"x", None)):
                with pytest.raises((Refused, OSError)):
                    touch(path)
        for path in ("../outside/new", "link to a folder/new", MARKER):
            with pytest.raises((Refused, OSError)):
                back_end.write(path, b"x")
            with pytest.raises((Refused, OSError)):
                back_end.rename("letters/report 0.docx.locked", path)
        for path in ("../outside/report 0.docx", "link to a folder/report 0.docx", MARKER):
            with pytest.raises((Refused, OSError)):
                back_end.unlink(path)
    assert tree_of(outside) == others


def test_a_link_that_comes_between_plan_and_deed_is_not_followed(marked, tmp_path):
    folder, _ = marked
    outside = tmp_path / "outside"
    others = fill(outside, 2)
    with Folder(folder) as confined, Journal(tmp_path / "journal", folder) as journal:
        back_end = Local(confined)
        plan = make_plan(back_end.files(), Options())
        shutil.rmtree(folder / "letters")
        (folder / "letters").symlink_to(outside)
        with pytest.raises(OSError):
            carry_out(plan, back_end, journal)
    assert tree_of(outside) == others


@needs_root
def test_mounts_are_not_entered(marked, tmp_path):
    folder, _ = marked
    outside = tmp_path / "outside"
    others = fill(outside, 2)
    (folder / "mounted").mkdir()
    subprocess.run(["mount", "--bind", outside, folder / "mounted"], check=True)
    try:
        journal = attack(folder, tmp_path / "journal", Options())
        with Folder(folder) as confined, pytest.raises(Refused, match="another mount"):
            Local(confined).read(["mounted/report 0.docx"])
    finally:
        subprocess.run(["umount", folder / "mounted"], check=True)
    assert tree_of(outside) == others
    assert not [line for line in journal if str(line["path"]).startswith("mounted")]


def test_the_journal_is_outside_and_new(marked, tmp_path):
    folder, _ = marked
    with pytest.raises(Refused, match="outside"):
        Journal(folder / "letters" / "journal", folder)
    (tmp_path / "there").write_text("of somebody")
    with pytest.raises(FileExistsError):
        Journal(tmp_path / "there", folder)


def test_the_program(marked, tmp_path):
    folder, before = marked
    command = ["/usr/bin/python3", ROOT / "tests" / "attack", "run", folder, "--mode", "full,sparse", "--name", "locked", "--notes", "en"]
    planned = subprocess.run([*command, "--dry-run"], check=True, capture_output=True, text=True).stdout.splitlines()
    assert tree_of(folder) == before
    done = subprocess.run([*command, "--journal", tmp_path / "journal"], check=True, capture_output=True, text=True)
    journal = journal_of(tmp_path / "journal")
    assert f"in {len(planned)} steps" in done.stdout
    assert [json.loads(line)["new_path"] for line in planned] == [line["new_path"] for line in journal]
    check_truth(journal, before, tree_of(folder))


# ---- Over Samba ----

def test_only_servers_of_tests_are_attacked():
    for address in ("192.0.2.1", "10.0.0.1", "2001:db8::1"):
        with pytest.raises(Refused, match="only servers of tests"):
            Samba(address, "office")


@needs_root
def test_over_samba(tmp_path):
    """The same plan by smbclient as in a local folder: the same files at the end, and the same journal."""
    folders = {name: tmp_path / name for name in ("local", "shared")}
    for folder in folders.values():
        folder.mkdir()
        before = fill(folder)
    mark(folders["local"])
    with Network(("pc", "server")) as net, SambaServer(net.server, tmp_path / "samba", folders["shared"]):
        with pytest.raises(Refused, match="no marker"):
            Samba(net.server.address, SHARE, PORT, net.pc.before)
        mark(folders["shared"])
        with Samba(net.server.address, SHARE, PORT, net.pc.before) as back_end:
            names = {path: len(data) for path, data in before.items()}
            for number, way in enumerate(WAYS):
                assert dict(back_end.files()) == names
                options = Options(seed=number, modes=("full", "sparse", "footer", "16-16"), way=way, naming=NAMINGS[number], clients=8, notes=("ja",) if number == 4 else ())
                with Journal(tmp_path / f"smb-{number}", folders["shared"]) as journal:
                    carry_out(make_plan(back_end.files(), options), back_end, journal)
                attack(folders["local"], tmp_path / f"journal-{number}", options)
                assert (tmp_path / f"smb-{number}").read_bytes() == (tmp_path / f"journal-{number}").read_bytes()
                before = tree_of(folders["local"])
                assert tree_of(folders["shared"]) == before
                names = {path: len(data) for path, data in before.items()}


# ---- Benign work ----

def worked_on(name: str, old: Path, folder: Path) -> Path:
    work = benign.WORKS[name]
    if work.missing():
        pytest.skip(f"not installed: {', '.join(work.missing())}")
    before = old.read_bytes()
    new = folder / work.new_version(old, folder, old.name, 1)
    assert old.read_bytes() == before, "the old version stays as it is"
    assert [path.name for path in folder.iterdir()] == [new.name], "nothing is left behind"
    return new


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize("name", ["office-save", "zip-again"])
def test_office_files_are_whole_after_work(name, tmp_path, out):
    old = tmp_path / "letter.docx"
    with zipfile.ZipFile(old, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w:document>" + "<w:p>some words here</w:p>" * 500 + "</w:document>")
    new = worked_on(name, old, out)
    with zipfile.ZipFile(new) as archive:
        assert archive.testzip() is None
        assert (b"and more" in archive.read("word/document.xml")) == (name == "office-save")


@pytest.mark.parametrize("name", ["text-edit", "text-append", "line-ends"])
def test_texts_stay_texts(name, tmp_path, out):
    old = tmp_path / "notes.txt"
    old.write_text("日本語の行\nand another\n" * 200)
    assert worked_on(name, old, out).read_bytes().decode() != old.read_text()


@pytest.mark.parametrize("encoding, name", [("cp932", "recode-sjis"), ("euc_jp", "recode-eucjp")])
def test_texts_are_recoded(encoding, name, tmp_path, out):
    old = tmp_path / f"notes.{'sjis' if encoding == 'cp932' else 'eucjp'}"
    old.write_text("日本語の行\n" * 200, encoding=encoding)
    data = worked_on(name, old, out).read_bytes()
    assert any(_decodes(data, other) for other in ("utf-8", "utf-16", "euc_jp", "cp932"))


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        return data.decode(encoding) == "日本語の行\n" * 200
    except UnicodeDecodeError:
        return False


@pytest.mark.parametrize("name", ["sqlite-vacuum", "sqlite-change", "sqlite-restore"])
def test_databases_are_whole_after_work(name, tmp_path, out):
    old = tmp_path / "records.sqlite"
    with sqlite3.connect(old) as database:
        database.execute("create table records (id integer primary key, words text)")
        database.executemany("insert into records (words) values (?)", [(f"word {number}",) for number in range(2000)])
        database.execute("delete from records where id % 3 = 0")
    database.close()
    with sqlite3.connect(worked_on(name, old, out)) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        assert database.execute("select count(*) from records").fetchone() == (1334,)


@pytest.mark.parametrize("name, check", [("gzip", ["gzip", "-t"]), ("tar", ["tar", "-tf"]), ("gpg", ["gpg", "--batch", "--list-packets", "--list-only"]),
                                         ("zip-locked", ["unzip", "-Z"]), ("zstd", ["zstd", "-qt"]), ("xz", ["xz", "-t"])])
def test_what_is_packed_or_locked_is_whole(name, check, tmp_path, out):
    if shutil.which(check[0]) is None:
        pytest.skip(f"not installed: {check[0]}")
    old = tmp_path / "letter.txt"
    old.write_text("words\n" * 1000)
    done = subprocess.run([*check, worked_on(name, old, out)], capture_output=True)
    assert done.returncode == 0, done.stderr


def write_pdf(path: Path) -> None:
    """One page without anything on it."""
    data, places = b"%PDF-1.4\n", []
    for number, words in enumerate((b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                                    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"), 1):
        places.append(len(data))
        data += b"%d 0 obj%sendobj\n" % (number, words)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    path.write_bytes(data + b"xref\n0 4\n0000000000 65535 f \n" + table + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(data))


@pytest.mark.parametrize("name", ["jpeg-lossless", "jpeg-again"])
def test_pictures_are_whole_after_work(name, tmp_path, out):
    if shutil.which("cjpeg") is None:
        pytest.skip("not installed: cjpeg")
    old = tmp_path / "photo.jpg"
    old.write_bytes(subprocess.run(["cjpeg"], input=b"P6 64 48 255\n" + random.Random(1).randbytes(64 * 48 * 3), check=True, capture_output=True).stdout)
    done = subprocess.run(["djpeg", "-strict", worked_on(name, old, out)], capture_output=True)
    assert done.returncode == 0 and done.stdout.startswith(b"P6\n"), done.stderr


@pytest.mark.parametrize("name", ["pdf-linearise", "pdf-streams"])
def test_pdf_is_whole_after_work(name, tmp_path, out):
    if shutil.which("qpdf") is None:
        pytest.skip("not installed: qpdf")
    old = tmp_path / "letter.pdf"
    write_pdf(old)
    assert subprocess.run(["qpdf", "--check", worked_on(name, old, out)], capture_output=True).returncode == 0


def test_git_and_logs(tmp_path):
    folder = tmp_path / "project"
    fill(folder)
    (folder / "service.log").write_text("line\n" * 100)
    (folder / "service.log.1").write_text("older line\n" * 100)
    benign_trees.git_gc(folder, random.Random(1))
    benign_trees.git_gc(folder, random.Random(1))
    subprocess.run(["git", "-C", folder, "fsck", "--strict"], check=True, capture_output=True)
    benign_trees.rotate_logs(folder, random.Random(1))
    subprocess.run(["gzip", "-t", folder / "service.log.2.gz"], check=True)
    assert (folder / "service.log.1").read_text() == "line\n" * 100


def test_a_users_own_encryption_of_a_tree(tmp_path):
    folder = tmp_path / "private"
    before = fill(folder)
    if benign.WORKS["gpg"].missing():
        pytest.skip("not installed: gpg")
    benign_trees.lock_tree("gpg")(folder, random.Random(1))
    after = tree_of(folder)
    assert sorted(after) == sorted(f"{path}.gpg" for path in before)
    locked = folder / sorted(after)[0]
    subprocess.run(["gpg", "--batch", "--list-packets", "--list-only", locked], check=True, capture_output=True)
