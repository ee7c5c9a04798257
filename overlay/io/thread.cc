#include "overlay/io/thread.h"

#include <signal.h>

#include <system_error>

namespace ipop {
namespace {

constexpr size_t kStackSize = 512 * 1024;

}  // namespace

Thread::Thread(const char* name, std::function<void()> body) : name_(name), body_(std::move(body)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // Inherited.
  const int error = pthread_create(&thread_, &attributes, thread_main, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot start a thread");
}

Thread::~Thread() { pthread_join(thread_, nullptr); }

void* Thread::thread_main(void* self) {
  const auto* const thread = static_cast<const Thread*>(self);
  pthread_setname_np(pthread_self(), thread->name_);
  thread->body_();
  return nullptr;
}

}  // namespace ipop
