#include "fork/address_space.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>

#include "test/subject.h"

namespace truefork {

namespace {

const size_t kPage = sysconf(_SC_PAGESIZE);

// As V8 does with its own.
char* MapKeptFromChildren(int flags = MAP_PRIVATE) {
  void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  memcpy(page, "warm", sizeof "warm");
  EXPECT_EQ(madvise(page, kPage, MADV_DONTFORK), 0);
  return static_cast<char*>(page);
}

// Whether a forked child has this page. mincore(2) knows it without touching it.
bool ChildHas(char* page) {
  test::Subject child([page] {
    unsigned char resident;
    ASSERT_EQ(mincore(page, kPage, &resident), 0);
    EXPECT_STREQ(page, "warm");
  });
  return test::Describe(child.Wait()) == "exit 0";
}

}  // namespace

TEST(AddressSpace, PageKeptFromChildrenIsReadableInThem) {
  char* page = MapKeptFromChildren();
  MakeAddressSpaceCopyable();
  EXPECT_TRUE(ChildHas(page));
  munmap(page, kPage);
}

TEST(AddressSpace, PageMappedLaterNeedsItAgain) {
  MakeAddressSpaceCopyable();
  char* page = MapKeptFromChildren();
  test::Subject child([page] {
    unsigned char resident;
    EXPECT_EQ(mincore(page, kPage, &resident), -1);  // ENOMEM: not mapped
  });
  EXPECT_EQ(test::Describe(child.Wait()), "exit 0");
  MakeAddressSpaceCopyable();
  EXPECT_TRUE(ChildHas(page));
  munmap(page, kPage);
}

TEST(AddressSpace, LineLongerThanTheBufferHidesNothing) {
  std::string path = testing::TempDir() + "truefork-" + std::to_string(getpid());
  const std::string root = path;
  for (int depth = 0; depth < 4; depth++) {
    ASSERT_EQ(mkdir(path.c_str(), 0700), 0) << path;
    path += "/" + std::string(200, 'x');
  }
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(ftruncate(fd, kPage), 0);
  // A run of mappings: the file's long line stands between the pages in question.
  char* before = MapKeptFromChildren();
  void* file = mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, fd, 0);
  char* after = MapKeptFromChildren();
  MakeAddressSpaceCopyable();
  EXPECT_TRUE(ChildHas(before));
  EXPECT_TRUE(ChildHas(after));
  munmap(before, kPage);
  munmap(file, kPage);
  munmap(after, kPage);
  close(fd);
  unlink(path.c_str());
  while (path != root) {
    path.erase(path.rfind('/'));
    rmdir(path.c_str());
  }
}

}  // namespace truefork
