#include "overlay/io/state_writer.h"

#include <utility>

#include "overlay/io/system.h"

namespace ipop {

void StateWriter::write(const std::string& path, std::string text) {
  const std::lock_guard lock(mutex_);
  waiting_[path] = std::move(text);
  changed_.notify_all();
}

std::optional<StateWriter::Failure> StateWriter::poll_failure() {
  const std::lock_guard lock(mutex_);
  if (failures_.empty()) return std::nullopt;
  Failure out = std::move(failures_.front());
  failures_.pop_front();
  return out;
}

void StateWriter::finish() {
  std::unique_lock lock(mutex_);
  is_stopping_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return waiting_.empty() && !is_busy_; });
}

void StateWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !waiting_.empty() || is_stopping_; });
    if (waiting_.empty()) return;
    const auto file = waiting_.extract(waiting_.begin());
    is_busy_ = true;
    lock.unlock();
    const auto written = write_file(file.key(), file.mapped());
    lock.lock();
    is_busy_ = false;
    if (!written) failures_.push_back({.path = file.key(), .problem = written.error()});
    changed_.notify_all();
  }
}

}  // namespace ipop
