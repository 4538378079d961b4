#!/bin/sh
# Our log before the reference implementation in Go: a case that grew, its proof of growth, and each
# of them changed. Needs go and Debian's golang-golang-x-mod-dev.
#   VIGIE_BIN   the built command (default: target/debug/vigie)
set -eu
cd "$(dirname "$0")/../.."
vigie=$(realpath "${VIGIE_BIN:-target/debug/vigie}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VIGIE_HOME="$work/home"
export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE="$work/cache"
go build -o "$work/sumdb" tests/sumdb/main.go
for seed in 3 4; do
  [ ! -f "$work/case/ledger/checkpoint" ] || cp "$work/case/ledger/checkpoint" "$work/older"
  "$vigie" range make --scenario small --seed "$seed" "$work/seizure$seed" >/dev/null
  "$vigie" open --case "$work/case" "$work/seizure$seed/material" >/dev/null
done
"$vigie" log prove --case "$work/case" --since "$work/older" >"$work/grown"
"$vigie" log prove --case "$work/case" 0 >"$work/first"
key=$("$vigie" log check --json "$work/first" | sed 's/.*"key":"\([^"]*\)".*/\1/')
"$work/sumdb" "$work/case/ledger" "$key" "$work/grown" "$work/older"

# What was changed must be refused, or the checks above say nothing.
refused() {
  if "$work/sumdb" "$work/case/ledger" "$key" "$work/grown" "$work/older" >/dev/null 2>&1; then
    echo "sumdb: it takes $1" >&2
    exit 1
  fi
}
flip() { # flip FILE OFFSET: another byte there, until `back`
  cp "$1" "$work/kept"
  byte=$(od -An -tu1 -j "$2" -N1 "$1" | tr -d ' ')
  printf "$(printf '\\%03o' $(((byte + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
back() { cp "$work/kept" "$1"; }
bundle=$(find "$work/case/ledger/tile/entries" -type f | head -n 1)
tile=$(find "$work/case/ledger/tile/0" -type f | head -n 1)
chmod -R u+w "$work/case/ledger"
for file in "$bundle" "$tile" "$work/case/ledger/checkpoint" "$work/grown" "$work/older"; do
  flip "$file" 40
  refused "a changed ${file##*/}"
  back "$file"
done
"$work/sumdb" "$work/case/ledger" "$key" "$work/grown" "$work/older" >/dev/null
echo "sumdb: every changed file is refused"
