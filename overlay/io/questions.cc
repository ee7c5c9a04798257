#include "overlay/io/questions.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace ipop {
namespace {

/// Of the process, so that a question to a port that was replaced by one of the same name is not taken for
/// one to its successor.
uint64_t next_number() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

std::optional<uint64_t> Questions::ask(const Question& question) {
  const uint64_t number = next_number();
  {
    const std::lock_guard lock(mutex_);
    if (open_.size() >= kMaxOpen) return std::nullopt;
    open_.emplace(number, Open{.question = question, .id = {}, .answer = {}});
  }
  core_.signal();
  return number;
}

std::optional<Questions::Answer> Questions::collect(uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto entry = open_.find(number);
  if (entry == open_.end() || !entry->second.answer) return std::nullopt;
  auto out = std::move(entry->second.answer);
  open_.erase(entry);
  const bool more = std::any_of(open_.begin(), open_.end(),
                                [](const auto& open) { return open.second.answer.has_value(); });
  if (!more) answered_.clear();
  return out;
}

bool Questions::is_open(uint64_t number) const {
  const std::lock_guard lock(mutex_);
  return open_.contains(number);
}

void Questions::start_new(Instant now, Node& node) {
  const std::lock_guard lock(mutex_);
  for (auto& [number, open] : open_) {
    if (open.id) continue;
    if (auto answer = answer_now(now, node, open.question)) {
      open.id = number;
      open.answer = std::move(answer);
      answered_.signal();
    } else {
      open.id = start(now, node, open.question);
    }
  }
}

/// What the node does itself, and need not find out.
std::optional<Questions::Answer> Questions::answer_now(Instant now, Node& node, const Question& question) {
  if (const auto* settings = std::get_if<LoadSettings>(&question)) {
    auto version = node.load_settings(now, settings->file);
    return SettingsLoaded{
        .path = settings->path, .version = std::move(version), .peers = node.links().all().size()};
  }
  if (const auto* expected = std::get_if<ExpectGuest>(&question)) {
    const Introduction& guest = expected->guest;
    GuestExpected out{.guest = guest, .result = expect(now, node, guest)};
    if (const auto known = node.vnet().map().find_mac(guest.mac)) out.at = known->node;
    return out;
  }
  return std::nullopt;
}

Result<Done, Problem> Questions::expect(Instant now, Node& node, const Introduction& guest) {
  if (const auto expected = node.expect_guest(now, guest.mac); !expected) {
    return Problem{expected.error() == Error::Full ? "too many guests are expected"
                                                   : "no guest can have this address"};
  }
  return node.introduce_guest(guest);
}

uint64_t Questions::start(Instant now, Node& node, const Question& question) {
  if (const auto* trace = std::get_if<TraceTo>(&question)) return node.start_trace(now, trace->target, true);
  if (const auto* explain = std::get_if<Explain>(&question)) {
    return node.start_explanation(now, explain->address);
  }
  return node.start_crawl(now);
}

void Questions::take_answers(Node& node) {
  while (auto trace = node.poll_trace()) answer(trace->id, std::move(*trace));
  while (auto crawl = node.poll_crawl()) answer(crawl->id, std::move(*crawl));
  while (auto explanation = node.poll_explanation()) answer(explanation->id, std::move(*explanation));
}

void Questions::answer(uint64_t id, Answer answer) {
  const std::lock_guard lock(mutex_);
  for (auto& [number, open] : open_) {
    if (open.id != id || open.question.index() != answer.index() || open.answer) continue;
    open.answer = std::move(answer);
    answered_.signal();  // Under the lock, as clear() is.
    return;
  }
}

}  // namespace ipop
