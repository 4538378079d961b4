#!/bin/sh
# The console in a real browser. Needs node; installs Debian's chromium where there is none.
#   VIGIE_BIN   the built command (default: target/debug/vigie)
#   VIGIE_CASE  a case folder (default: case)
#   HOUSE_BIN   the built example that serves a clearing house (default: its pages are not visited)
#   OUT         where screenshots go (default: target/browser)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v chromium >/dev/null 2>&1; then
  apt-get update -q && apt-get install -qy --no-install-recommends chromium
fi
[ -d "$here/node_modules" ] || npm ci --prefix "$here" --no-audit --no-fund --silent
exec node "$here/run.mjs" "$@"
