#include "overlay/io/thread.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

namespace ipop {
namespace {

TEST(Thread, RunsWithItsNameAndWithoutSignalsOnASmallStack) {
  std::string name(16, '\0');
  sigset_t blocked;
  size_t stack = 0;
  {
    const Thread thread("ipop-test", [&] {
      pthread_getname_np(pthread_self(), name.data(), name.size());
      pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      pthread_attr_t attributes;
      pthread_getattr_np(pthread_self(), &attributes);
      pthread_attr_getstacksize(&attributes, &stack);
      pthread_attr_destroy(&attributes);
    });
  }  // Here it has ended.
  EXPECT_STREQ(name.c_str(), "ipop-test");
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD}) {
    EXPECT_EQ(sigismember(&blocked, signal), 1) << signal;
  }
  EXPECT_LE(stack, 1024u * 1024);
  sigset_t ours;
  pthread_sigmask(SIG_SETMASK, nullptr, &ours);
  EXPECT_EQ(sigismember(&ours, SIGTERM), 0) << "the caller's are as they were";
}

}  // namespace
}  // namespace ipop
