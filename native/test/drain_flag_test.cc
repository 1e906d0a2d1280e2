#include "child/drain_flag.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "test/subject.h"

namespace truefork {

namespace {

using test::Describe;
using test::Eventually;
using test::Subject;

// The mappings of the flag in this process, as /proc/self/maps has them.
struct Mapping {
  char* begin;
  std::string range;
  std::string protection;
};

std::vector<Mapping> MappingsOfFlag() {
  std::vector<Mapping> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("truefork-drain") == std::string::npos) continue;
    std::istringstream fields(line);
    Mapping mapping;
    fields >> mapping.range >> mapping.protection;
    mapping.begin = reinterpret_cast<char*>(std::stoull(mapping.range, nullptr, 16));
    found.push_back(mapping);
  }
  return found;
}

}  // namespace

TEST(DrainFlagTest, ChildrenSeeItSet) {
  Subject zygote([] {
    EXPECT_TRUE(DrainFlag::Create());
    EXPECT_FALSE(DrainFlag::IsSet());
    Subject child([] { EXPECT_TRUE(Eventually([] { return DrainFlag::IsSet(); })); });
    DrainFlag::Set();
    EXPECT_EQ(Describe(child.Wait()), "exit 0");
  });
  EXPECT_EQ(Describe(zygote.Wait()), "exit 0");
}

TEST(DrainFlagTest, NoChildCanSetIt) {
  Subject zygote([] {
    EXPECT_TRUE(DrainFlag::Create());
    Subject child([] {
      const auto mappings = MappingsOfFlag();
      ASSERT_EQ(mappings.size(), 1u);
      EXPECT_EQ(mappings[0].protection, "r--s");
      EXPECT_EQ(mprotect(mappings[0].begin, 4096, PROT_READ | PROT_WRITE), -1);
      EXPECT_EQ(errno, EACCES);
      // The way back to the file, which root has.
      const int fd = open(("/proc/self/map_files/" + mappings[0].range).c_str(), O_RDWR);
      if (fd >= 0) {
        EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
        EXPECT_EQ(write(fd, "\1", 1), -1);
      }
    });
    EXPECT_EQ(Describe(child.Wait()), "exit 0");
    EXPECT_FALSE(DrainFlag::IsSet());
  });
  EXPECT_EQ(Describe(zygote.Wait()), "exit 0");
}

}  // namespace truefork
