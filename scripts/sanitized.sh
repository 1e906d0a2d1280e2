#!/usr/bin/env bash
# Runs a command, and all that it starts, with the sanitizer build of the addon (`npm run sanitize`):
#   scripts/sanitized.sh node dist/cli/main.js serve handler.js
# Node itself is not built with AddressSanitizer, so the library has to be there before it. Leaks are not looked for:
# Node's own would be found, and a forked child ends in _exit(2), where nobody looks. The unit tests look for them.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

export LD_PRELOAD=$("${CXX:-g++}" -print-file-name=libasan.so)
export ASAN_OPTIONS=detect_leaks=0
export UBSAN_OPTIONS=print_stacktrace=1
export TRUEFORK_ADDON=$root/native/build/sanitize/Debug/truefork.node
exec "$@"
