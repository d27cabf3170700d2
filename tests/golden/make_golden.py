#!/usr/bin/python3
"""Makes golden repositories with a given kura: `make_golden.py KURA tests/golden/vN`.

Run once for a version of the format; the result stays in the tree for ever, and every later kura and the second reader
have to restore it. Folders are made, one that a passphrase opens, and two that a recovery key opens, of which one has
parity; those that are there already are left alone. Each has

    repository/                          what kura stored, after two backups
    passphrase.txt or recovery-key.txt   what opens it
    expected.json                        "snapshots": each with "id", "root" (the path that was backed up), "entries":
                                         path below root -> type, mode, uid, gid, mtime_ns, xattrs, size, sha256,
                                         target, device, same_as (all names of one file). Paths and targets are
                                         percent-encoded.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from urllib.parse import quote_from_bytes

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "format"))
from source_trees import facts_of, make_tree, put, text  # noqa: E402

SOURCE = b"/tmp/kura-golden/source"
PASSPHRASE = "the golden passphrase \u8535"


def run(kura, repository, state, *arguments):
    environment = {"PATH": os.environ["PATH"], "KURA_REPO": repository, "KURA_STATE_DIR": state,
                   "KURA_PASSPHRASE": PASSPHRASE}
    done = subprocess.run([kura, *arguments], env=environment, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def backup(kura, repository, state):
    out = run(kura, repository, state, "backup", "--json", "--host", "golden", SOURCE)
    summary = json.loads(out.splitlines()[-1])
    entries = {}
    for path, facts in sorted(facts_of(SOURCE).items()):
        if "same_as" in facts:
            facts = {**facts, "same_as": [quote_from_bytes(name) for name in sorted(facts["same_as"])]}
        entries[quote_from_bytes(path)] = facts
    return {"id": summary["snapshot_id"], "root": quote_from_bytes(SOURCE), "entries": entries}


def make(kura, folder, with_passphrase, *init):
    if os.path.exists(folder):
        return
    os.makedirs(folder)
    repository, state = os.path.join(folder, "repository"), tempfile.mkdtemp()
    if with_passphrase:
        put(os.path.join(folder, "passphrase.txt"), PASSPHRASE.encode() + b"\n")
        run(kura, repository, state, "init", *init)
    else:
        run(kura, repository, state, "init", "--recovery-key-out", os.path.join(folder, "recovery-key.txt"), *init)
    shutil.rmtree(os.path.dirname(SOURCE), ignore_errors=True)
    make_tree(SOURCE, seed=1, large=False)
    snapshots = [backup(kura, repository, state)]
    put(SOURCE + b"/sizes/text", text(2 << 20, seed=2))
    os.unlink(SOURCE + b"/sizes/random")
    os.rename(SOURCE + b"/many", SOURCE + b"/moved")
    snapshots.append(backup(kura, repository, state))
    shutil.rmtree(os.path.dirname(SOURCE)), shutil.rmtree(state)
    with open(os.path.join(folder, "expected.json"), "w", encoding="ascii") as file:
        json.dump({"snapshots": snapshots}, file, indent=0, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    make(os.path.abspath(sys.argv[1]), os.path.join(sys.argv[2], "passphrase"), True)
    make(os.path.abspath(sys.argv[1]), os.path.join(sys.argv[2], "recovery-key"), False)
    make(os.path.abspath(sys.argv[1]), os.path.join(sys.argv[2], "parity"), False, "--parity=4+1")
