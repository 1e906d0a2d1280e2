#include "../server.h"

int main(int argc, char **argv) {
  listen_on(argv[argc - 1]);
  char path[] = "/tmp/truefork-grade-fills-XXXXXX";
  static char block[1 << 16];
  int fd = mkstemp(path);
  for (;;)
    if (write(fd, block, sizeof block) < 0) lseek(fd, 0, SEEK_SET);
}
