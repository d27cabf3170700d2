#!/bin/sh
# Two vaults and their attackers: an office backs up to vault A through a door that opens only for the job, vault B pulls
# from A, a PC and an attacker with all rights at the office get nowhere, A is destroyed, and B gives everything back.
#
#   BIN=build/release/bin demo/vaults.sh
#
# Needs root, for network namespaces and nftables of its own: nothing of this machine's network is touched. Works below
# build/demo/vaults, which it makes anew.
set -eu

bin=$(CDPATH='' cd -- "${BIN:?say where the programs are, or call ./run demo}" && pwd)
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$here/build/demo/vaults
spaces="kdemo$$"
programs=

die() {
    echo "demo: $*" >&2
    exit 1
}
say() { printf '\n== %s\n' "$*"; }

# What was started ends by its pid, and the namespaces with it.
clean_up() {
    for pid in $programs; do kill "$pid" 2>/dev/null || :; done
    for pid in $programs; do wait "$pid" 2>/dev/null || :; done
    for place in pc server a b; do ip netns del "$spaces-$place" 2>/dev/null || :; done
    ip netns del "$spaces-net" 2>/dev/null || :
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# ---- A small internet: office PC, office server, data centres A and B, each behind one router ----

address_of() {
    case $1 in pc) echo 198.18.1.2 ;; server) echo 198.18.2.2 ;; a) echo 198.18.3.2 ;; b) echo 198.18.4.2 ;; esac
}
join() {
    address=$(address_of "$1")
    ip netns add "$spaces-$1"
    ip -n "$spaces-net" link add "to-$1" type veth peer name eth0 netns "$spaces-$1"
    ip -n "$spaces-net" addr add "${address%.2}.1/24" dev "to-$1"
    ip -n "$spaces-net" link set "to-$1" up
    ip -n "$spaces-$1" addr add "$address/24" dev eth0
    ip -n "$spaces-$1" link set eth0 up
    ip -n "$spaces-$1" link set lo up
    ip -n "$spaces-$1" route add default via "${address%.2}.1"
}
make_network() {
    ip netns add "$spaces-net"
    ip netns exec "$spaces-net" sysctl -q -w net.ipv4.ip_forward=1
    for place in pc server a b; do join "$place"; done
}

# ---- Running things where they belong ----

# at PLACE COMMAND...: in that place's network, with the programs under their plain names.
at() {
    place=$1
    shift
    ip netns exec "$spaces-$place" env PATH="$bin:$PATH" KURA_STATE_DIR="$work/$place/state" "$@"
}
# show PLACE CODE COMMAND...: as a person there would see it; CODE is how it is to end.
show() {
    place=$1
    wanted=$2
    shift 2
    printf '   [%s] $ %s\n' "$place" "$*" | sed "s#$work#DEMO#g; s#[0-9a-f]\{60,\}#...#g"
    code=0
    at "$place" "$@" >"$work/output" 2>&1 || code=$?
    # (`$a` of sed: with a line feed at the end, whatever the program says last.)
    sed "s#^#   #; s#$work#DEMO#g; \$a\\" "$work/output" | head -n 12
    [ "$code" -eq "$wanted" ] || die "that ended with exit code $code, not $wanted"
}
# begin PLACE NAME COMMAND...: until the end of the demo; its words go to NAME.log.
begin() {
    place=$1
    name=$2
    shift 2
    (exec ip netns exec "$spaces-$place" env PATH="$bin:$PATH" KURA_STATE_DIR="$work/$place/state" "$@") \
        >"$work/$name.log" 2>&1 &
    programs="$programs $!"
    echo "$!" >"$work/$name.pid"
}
# end NAME [SIGNAL]: what begin() began.
end() {
    pid=$(cat "$work/$1.pid")
    kill "-${2:-TERM}" "$pid"
    wait "$pid" 2>/dev/null || :
}
# until_true COMMAND...: tried for half a minute.
until_true() {
    tries=150
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || die "this does not come true: $*"
        sleep 0.2
    done
}
vault_a() { at a kura-vault --root "$work/a/vault" "$@"; }
vault_b() { at b kura-vault --root "$work/b/vault" "$@"; }
token_in() { sed -n 's/.*"token":"\([^"]*\)".*/\1/p'; }

# ---- The story ----

[ "$(id -u)" -eq 0 ] || die "the part with two vaults needs root: it makes networks of its own"
rm -rf "$work"
for place in pc server a b newpc; do mkdir -p "$work/$place/state"; done
share=$work/server/share
mkdir -p "$share"
cp -a /usr/share/common-licenses /usr/share/perl "$share/" 2>/dev/null || :
printf '請求書 2026-11\n' >"$share/請求書.txt"
(umask 077 && printf 'correct horse battery staple\n' >"$work/passphrase")
export KURA_PASSPHRASE_FILE="$work/passphrase"
make_network
a=$(address_of a)
b=$(address_of b)

say "Data centre A: a vault behind a door. Nothing at its address answers, but B may come to it."
show a 0 kura-vault --root "$work/a/vault" init --name tokyo-a --reached-as "$a"
key=$(sed -n 's/.*by the key \([0-9a-f]*\).*/\1/p' "$work/output")
begin a door_a kura-door serve --socket "$work/a/door" --port 7443 --keep "tcp:7443:$b/32"
until_true test -S "$work/a/door"
begin a vault_a kura-vault --root "$work/a/vault" serve --door "$work/a/door"
until_true test -S "$work/a/vault/admin.sock"

say "Data centre B: a second vault that listens to nobody, and pulls what A has"
show b 0 kura-vault --root "$work/b/vault" init --name osaka-b --reached-as "$b"
begin b door_b kura-door serve --socket "$work/b/door"
begin b vault_b kura-vault --root "$work/b/vault" pull --pause 1s
until_true test -S "$work/b/vault/admin.sock"
token=$(vault_a enrol osaka-b --follower --json | token_in)
show b 0 kura-vault --root "$work/b/vault" follow "https://$a" "$token" --key "$key"

say "The office server is let in: the door opens to its address, and is shut again"
token=$(vault_a enrol server1 --repository office --json | token_in)
show a 0 kura-vault --root "$work/a/vault" door open server1 --for 5m --address "$(address_of server)"
show server 0 kura enrol "https://$a" "$token"
export KURA_REPO="https://$a:7443/office"
show server 0 kura init
show a 0 kura-vault --root "$work/a/vault" door close --all

say "Outside of its hours the server does not reach A, nor does anybody else"
show server 1 kura backup "$share"
show pc 28 curl -sS --connect-timeout 2 "https://$a:7443/v1/authority"
show pc 28 curl -sS --connect-timeout 2 "https://$b:7443/v1/authority"

say "The operator opens the door for the job. The server knocks, backs up, and waits until B has it too"
show a 0 kura-vault --root "$work/a/vault" door open server1 --for 10m
show server 0 kura backup "$share" --wait-for-copy
show a 0 kura-vault --root "$work/a/vault" door status
show a 0 kura-vault --root "$work/a/vault" status

say "A PC is infected, and encrypts the share that it sees. The next backup is not like those before: A freezes"
find "$share" -type f | while IFS= read -r file; do
    openssl enc -aes-256-ctr -pass pass:x -pbkdf2 -iter 1 -in "$file" -out "$file.locked" 2>/dev/null && rm -f "$file"
done
show a 0 kura-vault --root "$work/a/vault" door open server1 --for 10m
show server 0 kura backup "$share"
show a 0 kura-vault --root "$work/a/vault" status

say "The attacker is root on the server, with its certificate and key, and has all rights that it has"
own=$(find "$work/server/state/vaults" -name machine.pem)
show a 0 kura-vault --root "$work/a/vault" door open server1 --for 10m --address "$(address_of server)"
snapshot=$(at server curl -s --cacert "${own%/*}/authority.pem" --cert "$own" --key "$own" \
    "https://$a:7443/v1/repositories/office/snapshots" | head -n 1 | cut -d' ' -f1)
show server 0 curl -sS --cacert "${own%/*}/authority.pem" --cert "$own" --key "$own" \
    -X DELETE "https://$a:7443/v1/repositories/office/snapshots/$snapshot"
show server 28 curl -sS --connect-timeout 2 "https://$b:7443/v1/authority"

say "Then data centre A burns down"
end vault_a KILL
end door_a KILL
rm -rf "$work/a/vault"
printf '   vault A is gone\n'

say "At B somebody opens the vault for a new machine. It needs the passphrase, and nothing of A or of the office"
end vault_b
end door_b
at b kura-door remove >/dev/null
begin b serve_b kura-vault --root "$work/b/vault" serve --listen 0.0.0.0:7443
until_true at pc curl -sk --connect-timeout 1 "https://$b:7443/v1/authority"
token=$(vault_b enrol newpc --repository office --json | token_in)
export KURA_REPO="https://$b:7443/office"
show pc 0 kura enrol "https://$b" "$token"
show pc 0 kura snapshots
first=$(at pc kura snapshots --json | sed -n 's/.*"type":"snapshot".*"id":"\([0-9a-f]*\)".*/\1/p' | head -n 1)
show pc 0 kura restore "$first" --target "$work/newpc/restored"
[ -f "$work/newpc/restored$share/請求書.txt" ] || die "the invoice is not there"
locked=$(find "$work/newpc/restored" -name '*.locked' | wc -l)
[ "$locked" -eq 0 ] || die "$locked files are encrypted"
printf '   %s files are back as they were before the attack\n' "$(find "$work/newpc/restored" -type f | wc -l)"
