#!/usr/bin/env bash
# Makes what Debian lacks for C++ on musl: libstdc++, from Debian's sources of GCC (apt install musl-tools
# gcc-12-source), configured for musl, to be linked statically (GCC's runtime library exception allows that). Prints the
# folder that x86_64-linux-musl-g++ is in. It takes a few minutes, once. The release workflow builds on Alpine instead.
set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=$PWD/native/build/musl
if [ ! -x "$toolchain/bin/x86_64-linux-musl-g++" ]; then
  sources=$(ls -d /usr/src/gcc-1[2-9]/gcc-*.tar.xz 2>/dev/null | head -1)
  specs=/usr/lib/x86_64-linux-musl/musl-gcc.specs
  [ -n "$sources" ] && [ -f "$specs" ] || { echo 'apt install musl-tools gcc-12-source' >&2 && exit 1; }
  work=$toolchain/work
  rm -rf "$toolchain" && mkdir -p "$toolchain/bin" "$toolchain/kernel" "$work/build"

  # Headers of the kernel, without glibc's that lie beside them.
  ln -s /usr/include/linux /usr/include/asm-generic /usr/include/x86_64-linux-gnu/asm "$toolchain/kernel"
  # Debian's libgcc_eh.a counts on glibc 2.35. The shared library that Node itself needs serves as well.
  sed "s|^libgcc.a%s.*|libgcc.a%s /lib/x86_64-linux-gnu/libgcc_s.so.1|" "$specs" > "$toolchain/musl.specs"

  wrapper() { # <name> <command> <arguments after the caller's>
    printf '#!/bin/sh\nexec %s -specs %s/musl.specs "$@" %s\n' "$2" "$toolchain" "$3" > "$1" && chmod +x "$1"
  }
  kernel="-idirafter $toolchain/kernel"
  wrapper "$work/x86_64-linux-musl-gcc" gcc "$kernel"
  wrapper "$work/x86_64-linux-musl-g++" 'g++ -nostdinc++' "$kernel"

  top=$(basename "$sources" .tar.xz | sed 's/-dfsg//')
  needed=(libstdc++-v3 libgcc libiberty config include gcc/BASE-VER gcc/DATESTAMP gcc/DEV-PHASE config.guess config.sub
    config-ml.in install-sh ltmain.sh missing mkinstalldirs depcomp compile)
  tar -xf "$sources" -C "$work" "${needed[@]/#/$top/}"
  ln -s gthr-posix.h "$work/$top/libgcc/gthr-default.h" # a build of all of GCC would have made it
  (
    cd "$work/build"
    export PATH=$work:$PATH
    "../$top/libstdc++-v3/configure" --build=x86_64-linux-gnu --host=x86_64-linux-musl --prefix="$toolchain" \
      --disable-multilib --disable-shared --with-pic --disable-nls --disable-libstdcxx-pch --disable-libstdcxx-verbose \
      CFLAGS='-O2 -fPIC' CXXFLAGS='-O2 -fPIC'
    make -j"$(nproc)" && make install
  ) > "$toolchain/log" 2>&1 || { tail -20 "$toolchain/log" >&2 && exit 1; }

  headers=$(echo "$toolchain"/include/c++/*)
  wrapper "$toolchain/bin/x86_64-linux-musl-gcc" gcc "$kernel"
  # A zygote preloads the addon, so the library's symbols must not be seen: Node has a libstdc++ of its own. And
  # musl's specs, which are for C, leave out the index of the unwinding tables, without which no exception is caught.
  wrapper "$work/g++" \
    "g++ -nostdinc++ -static-libstdc++ -Wl,--eh-frame-hdr -Wl,--exclude-libs,libstdc++.a -L$toolchain/lib" \
    "-isystem $headers -isystem $headers/x86_64-linux-musl $kernel"
  mv "$work/g++" "$toolchain/bin/x86_64-linux-musl-g++" # last: where it is, all is
  rm -rf "$work"
fi
echo "$toolchain/bin"
