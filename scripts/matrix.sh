#!/usr/bin/env bash
# The whole test suite on several lines of Node, all of them unless some are named: `npm run matrix -- 22 26`. vitest
# itself runs on the Node that is installed; TRUEFORK_NODE is what the subjects of the tests run on.
set -uo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- 20 22 24 26
failed=()
for line in "$@"; do
  if [ "$line" = "$(node -p 'process.versions.node.split(".")[0]')" ]; then
    node=$(node -p process.execPath)
  else
    node=$(scripts/node-lines.sh "$line") || exit
  fi
  printf '\n== Node %s\n' "$("$node" --version)"
  TRUEFORK_NODE=$node npx vitest run || failed+=("$line")
done
[ ${#failed[@]} -eq 0 ] || { echo "failed on Node ${failed[*]}" >&2 && exit 1; }
