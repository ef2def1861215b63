#include "os/descriptor_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ginnel::os {
namespace {

TEST(DescriptorChannel, CarriesTextAndDescriptors) {
  auto ends = DescriptorChannel::make().value();
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(ends.first.send("with", null.get()));
  ASSERT_TRUE(ends.first.send("without"));
  const auto with = ends.second.receive();
  ASSERT_TRUE(with);
  EXPECT_EQ(with->text, "with");
  struct stat sent{};
  struct stat got{};
  ASSERT_EQ(::fstat(null.get(), &sent), 0);
  ASSERT_EQ(::fstat(with->fd.get(), &got), 0);
  EXPECT_EQ(sent.st_rdev, got.st_rdev);
  EXPECT_EQ(::fcntl(with->fd.get(), F_GETFD), FD_CLOEXEC);
  const auto without = ends.second.receive();
  EXPECT_EQ(without->text, "without");
  EXPECT_FALSE(without->fd);
}

TEST(DescriptorChannel, CutsOffWhatIsTooLong) {
  auto ends = DescriptorChannel::make().value();
  for (const std::size_t size :
       {DescriptorChannel::kMaxMessageBytes - 1, DescriptorChannel::kMaxMessageBytes,
        DescriptorChannel::kMaxMessageBytes + 1}) {
    ASSERT_TRUE(ends.first.send(std::string(size, 'x')));
    EXPECT_EQ(ends.second.receive()->text.size(),
              std::min(size, DescriptorChannel::kMaxMessageBytes));
  }
}

TEST(DescriptorChannel, SaysWhenTheOtherEndIsGone) {
  auto ends = DescriptorChannel::make().value();
  {
    const DescriptorChannel gone = std::move(ends.second);
  }
  EXPECT_FALSE(ends.first.receive());
  EXPECT_FALSE(ends.first.send("nobody"));
}

}  // namespace
}  // namespace ginnel::os
