#!/usr/bin/env bash
# A release, all but publishing: from a fresh clone of what is committed, builds every binary that can be built here,
# checks, packs, tests the packed file on each line of Node, and asks npm what it would publish.
#   npm run release:dry             all
#   npm run release:dry -- 20 26    on some lines
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
[ $# -gt 0 ] || set -- 20.19 22 24 26

step() { printf '\n== %s\n' "$1"; }

step 'what is released'
version=$(node -p "require('./package.json').version")
echo "truefork $version"
grep -q "^## $version\$" CHANGELOG.md || { echo "CHANGELOG.md has nothing about $version" >&2 && exit 1; }
if tag=$(git describe --exact-match --tags 2>/dev/null) && [ "$tag" != "v$version" ]; then
  echo "the tag $tag is not v$version" >&2 && exit 1
fi
[ -z "$(git status --porcelain)" ] || echo 'what is not committed is not in it'

step 'a fresh clone, and the build'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet . "$work/clone"
cd "$work/clone"
npm ci --ignore-scripts --no-audit --no-fund
npm run build
# A cross compiler that was made already serves the clone as well.
if [ -d "$root/native/build/musl" ]; then mkdir -p native/build && ln -s "$root/native/build/musl" native/build/musl; fi

step 'binaries'
npm run prebuilds
npm run check:binaries

step 'reference of the API'
npm run docs:api

step 'the package'
node scripts/complete-package.js "${RELEASE_COMPLETE:+--all}"
tarball=$work/$(node scripts/pack.js "$work")
tar -tzf "$tarball" | grep -E '\.node$'
echo "$(basename "$tarball"): $(stat -c %s "$tarball") bytes"

for line in "$@"; do
  node=$("$root/scripts/node-lines.sh" "$line")
  step "the package on Node $("$node" --version)"
  TRUEFORK_PACKAGE=whole TRUEFORK_TARBALL=$tarball TRUEFORK_NODE=$node npx vitest run test/package-installs.test.ts
done

step 'the binary for arm64, emulated'
TRUEFORK_NODE=$(NODE_ARCH=arm64 "$root/scripts/node-lines.sh" 22) scripts/emulated.sh

# The first npm that runs no script of a dependency, so nothing may hang on one.
step 'the package, installed by npm 12'
npm install --prefix "$work/npm" --no-audit --no-fund --loglevel error npm@12
npm_execpath=$work/npm/node_modules/npm/bin/npm-cli.js TRUEFORK_TARBALL=$tarball TRUEFORK_NODE=$node \
  node_modules/.bin/vitest run test/package-installs.test.ts

step 'npm publish --dry-run'
npm publish --dry-run --ignore-scripts "$tarball"
