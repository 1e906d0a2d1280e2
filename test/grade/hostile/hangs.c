#include "../server.h"

int main(int argc, char **argv) {
  listen_on(argv[argc - 1]);
  for (;;) pause();
}
