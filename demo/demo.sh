#!/bin/sh
# The main job, on real files: protect, change, protect again, lose everything, get it back, compare.
#
#   KURA=build/release/bin/kura demo/demo.sh [PATH]
#
# Works on a copy of PATH (default: documents of this machine), below build/demo, which it makes anew; PATH itself is only read.
set -eu

kura=${KURA:?say where the program is, or call ./run demo}
source=${1:-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$here/build/demo
office=$work/office

die() {
    echo "demo: $*" >&2
    exit 1
}
say() { printf '\n== %s\n' "$*"; }
# Runs a command as a person would see it.
show() {
    printf '   $ %s\n' "$*" | sed "s#$work#DEMO#g; s#$kura#kura#g"
    code=0
    "$@" >"$work/output" 2>&1 || code=$?
    sed "s#^#   #; s#$work#DEMO#g" "$work/output"
    [ "$code" -eq 0 ] || die "that ended with exit code $code"
}

# ---- Files to protect ----

copy_source() {
    if [ -n "$source" ]; then
        [ -e "$source" ] || die "there is no $source"
        kilobytes=$(du -sk -- "$source" | cut -f1)
        free=$(df -k --output=avail "$work" | tail -n 1)
        # The copy, the repository, and what comes back.
        [ $((kilobytes * 3)) -lt "$free" ] ||
            die "$source has $((kilobytes / 1024)) MiB, and $((kilobytes * 3 / 1024)) MiB of space are needed below $work; $((free / 1024)) MiB are free"
        cp -a -- "$source" "$office/"
        return
    fi
    for folder in /usr/share/doc /usr/share/common-licenses /usr/share/perl /usr/share/info /etc/ssl; do
        [ -d "$folder" ] || continue
        mkdir -p "$office${folder%/*}"
        cp -a -- "$folder" "$office${folder%/*}/"
    done
    mkdir -p "$office/共有/経理"
    printf '請求書 2026-11\n' >"$office/共有/経理/請求書.txt"
}

change_files() {
    # A day of work: some files edited, one made, one removed, one renamed.
    find "$office" -type f -size +2k | sort | awk 'NR % 97 == 1' | while IFS= read -r file; do
        [ -w "$file" ] && printf 'edited on another day\n' >>"$file"
    done
    date >"$office/new-today.txt"
}

seconds() { date +%s.%N; }
rm -rf "$work"
mkdir -p "$office" "$work/state"
(umask 077 && printf 'correct horse battery staple\n' >"$work/passphrase")
export KURA_REPO="$work/repository" KURA_STATE_DIR="$work/state" KURA_PASSPHRASE_FILE="$work/passphrase"

say "An office's files: a copy of ${source:-documents of this machine}"
copy_source
printf '   %s files, %s\n' "$(find "$office" -type f | wc -l)" "$(du -sh "$office" | cut -f1)"

say "Make a repository. The machine gets a key that writes; the passphrase is the key that reads."
show "$kura" init

say "Protect"
show "$kura" backup "$office"

say "A day later: files are edited, one is new. Protect again: only what changed is stored."
change_files
show "$kura" backup --tag after-work "$office"
show "$kura" snapshots

say "Without any key the repository can be proven whole (a vault will do just this)"
show env -u KURA_PASSPHRASE_FILE "$kura" check

say "Disaster: everything at the office is gone, the machine's own state with it"
cp -a "$office" "$work/as-it-was"
rm -rf "$office" "$work/state"
printf '   %s files are left\n' "$(find "$office" -type f 2>/dev/null | wc -l)"

say "Get it back, with the repository and the passphrase alone"
began=$(seconds)
show "$kura" restore "latest:$office" --target "$office" --verify
ended=$(seconds)

say "Compare with what was lost: contents, types, modes, owners and times"
listing() {
    (cd "$1" && find . \( -type d -printf '%p d %m %U:%G %T@\n' \) -o -printf '%p %y %m %U:%G %T@ %s %l\n' | LC_ALL=C sort)
}
diff -r --no-dereference "$work/as-it-was" "$office" || die "contents differ: this must never happen; please report it"
listing "$work/as-it-was" >"$work/before.txt"
listing "$office" >"$work/after.txt"
cmp "$work/before.txt" "$work/after.txt" || die "metadata differ: compare $work/before.txt with $work/after.txt; please report it"
files=$(find "$office" -type f | wc -l)
kilobytes=$(du -sk "$office" | cut -f1)
awk -v files="$files" -v kb="$kilobytes" -v a="$began" -v b="$ended" \
    'BEGIN { s = b - a; printf "   the same: %d files, %.1f MiB, back and verified in %.1f s (%.1f MiB/s)\n", files, kb / 1024, s, kb / 1024 / s }'

say "What it took"
show "$kura" stats
printf '\nAll of it lies in %s; remove it when you like.\nNext: protect your own: see README.md, "Five minutes to a protected folder".\n' "build/demo"
