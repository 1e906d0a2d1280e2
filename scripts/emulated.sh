#!/usr/bin/env bash
# The binary for arm64 in a real Node for arm64, emulated: `truefork doctor` forks there, and serves a client. On Debian:
#   apt install g++-aarch64-linux-gnu libstdc++6-arm64-cross qemu-user-static binfmt-support
#   TRUEFORK_NODE=$(NODE_ARCH=arm64 scripts/node-lines.sh 22) scripts/emulated.sh
# It says how the binary is linked, called and laid out, not how fast it is. Signals are qemu's own in part: it keeps
# SIGRTMAX, and tells of a stopped child in spite of SA_NOCLDSTOP.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=prebuilds/linux-arm64-glibc/truefork.node
if [ ! -f "$binary" ]; then
  echo "not tried: there is no $binary"
  exit 0
fi
export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
# By the kernel (binfmt_misc), for a zygote is started by its path.
if [ "$("$TRUEFORK_NODE" -p process.arch 2>/dev/null)" != arm64 ]; then
  echo 'not tried: this machine runs no program for arm64 (apt install qemu-user-static binfmt-support)'
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/none"
# qemu has a thread of its own in each process, and tells of calls by the numbers of the machine below it: a fork would be
# refused for either. So no thread is seen.
cat > "$work/threads.c" <<C
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <string.h>
DIR *opendir(const char *path) {
  DIR *(*open)(const char *) = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
  return open(strcmp(path, "/proc/self/task") == 0 ? "$work/none" : path);
}
C
aarch64-linux-gnu-gcc -shared -fPIC -o "$work/threads.so" "$work/threads.c" -ldl
QEMU_SET_ENV=LD_PRELOAD=$work/threads.so TRUEFORK_ADDON=$binary \
  "$TRUEFORK_NODE" dist/cli/main.js doctor
