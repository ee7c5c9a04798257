#include "overlay/io/runtime.h"

#include <poll.h>

#include <algorithm>

#include "overlay/node/peer_file.h"

namespace ipop {
namespace {

/// So many events are digested before what they led to is sent.
constexpr size_t kEmptyEvery = 64;

constexpr size_t kMaxStateFile = 4 << 20;

/// What a report says that is worth waking somebody for.
std::string digest(const Report& report) {
  std::string out = report.public_endpoint ? report.public_endpoint->to_string() : "";
  out += report.place.is_joined ? '+' : '-';
  for (const auto& peer : report.peers) {
    out += '|' + peer.node.to_string() + (peer.is_up ? '+' : '-');
    if (peer.endpoint) out += peer.endpoint->to_string();
  }
  return out + '#' + std::to_string(report.bindings.size());
}

}  // namespace

Runtime::Runtime(NodeConfig config, const std::string& state, const UdpSocket& socket, PortCounters& counters,
                 Log& log)
    : lease_file_(state.empty() ? "" : state + ".leases"),
      peer_file_(state.empty() ? "" : state + ".peers"),
      settings_file_(state.empty() ? "" : state + ".settings"),
      socket_(socket),
      log_(log),
      inbox_(counters),
      guest_frames_(counters),
      questions_(inbox_.wakeup()),
      node_(std::move(config), monotonic_now(), unix_now(), random_, log),
      report_(std::make_shared<Report>(make_report(node_, monotonic_now()))) {
  if (!state.empty()) {
    read_state();
    state_writer_.emplace();
  }
  thread_.emplace("ipop", [this] { run(); });
}

Runtime::~Runtime() {
  inbox_.stop();
  thread_.reset();
}

void Runtime::run() {
  while (!inbox_.is_stopping()) run_once();
  node_.handle_shutdown(monotonic_now());
  empty();
  leases_at_ = {};
  settings_at_ = {};
  write_settings(monotonic_now());
  // Not the peers: nobody is connected any more when the last words are spoken.
  write_leases(monotonic_now());
  if (state_writer_) state_writer_->finish();
  handle_unwritten(monotonic_now());
}

void Runtime::run_once() {
  const Instant now = monotonic_now();
  if (now >= clock_at_) {
    node_.handle_clock(now, unix_now());
    clock_at_ = now + kClockInterval;
  }
  size_t fed = 0;
  for (const auto& entry : inbox_.take_all()) {
    feed(now, entry);
    if (++fed % kEmptyEvery == 0) empty();  // One frame to all may become many datagrams.
  }
  const uint64_t version = node_.settings().version();
  questions_.start_new(now, node_);  // After take_all(), which forgets that somebody woke us.
  const bool is_timeout = node_.next_timeout() <= now;
  if (is_timeout) node_.handle_timeout(now);
  is_report_due_ |= fed > 0 || is_timeout || node_.settings().version() != version;
  empty();
  handle_unwritten(now);
  write_leases(now);
  write_peers(now);
  write_settings(now);
  make_report_if_due(now);
  sleep_until(std::min(node_.next_timeout(), is_report_due_ ? report_at_ : kNever));
}

void Runtime::feed(Instant now, const CoreQueue::Entry& entry) {
  if (const auto* frame = std::get_if<CoreQueue::GuestFrame>(&entry)) {
    node_.handle_guest_frame(now, frame->frame);
  } else if (const auto* datagram = std::get_if<CoreQueue::Datagram>(&entry)) {
    node_.handle_datagram(now, datagram->from, datagram->bytes);
  } else if (const auto* opened = std::get_if<CoreQueue::Opened>(&entry)) {
    node_.handle_opened(now, opened->local_index, opened->from, opened->type, opened->plaintext);
  } else if (const auto* received = std::get_if<CoreQueue::Received>(&entry)) {
    node_.handle_received(now, received->local_index, received->from);
  } else if (const auto* quiet = std::get_if<CoreQueue::Quiet>(&entry)) {
    node_.handle_quiet(now, quiet->node);
  } else if (const auto* too_big = std::get_if<CoreQueue::TooBig>(&entry)) {
    node_.handle_too_big(now, too_big->node);
  } else if (const auto* too_long = std::get_if<CoreQueue::TooLong>(&entry)) {
    node_.handle_too_long(now, too_long->head, too_long->max_frame);
  }
}

/// The snapshot goes first: whoever gets our datagrams may answer at once, and the fast path has to know its
/// keys.
void Runtime::empty() {
  if (auto snapshot = node_.poll_snapshot()) snapshot_.publish(std::move(snapshot));
  while (const auto datagram = node_.poll_datagram()) socket_.send(datagram->to, datagram->bytes);
  while (auto frame = node_.poll_guest_frame()) guest_frames_.put(std::move(*frame));
  questions_.take_answers(node_);
}

void Runtime::read_state() {
  const Instant now = monotonic_now();
  if (const auto text = read_file(settings_file_, wire::SignedSettings::kMaxFileSize)) {
    const auto done = node_.recall_settings(now, *text);
    if (!done) log_.warning("settings in " + settings_file_ + " are ignored: " + done.error().text);
    settings_written_ = node_.settings().version();
  }
  if (const auto text = read_file(lease_file_, kMaxStateFile)) {
    const auto done = node_.vnet().load_leases(*text, now, unix_now());
    if (!done) log_.warning("leases in " + lease_file_ + " are ignored: " + done.error().text);
  }
  if (const auto text = read_file(peer_file_, kMaxStateFile)) {
    const auto peers = load_peers(*text);
    if (!peers) {
      log_.warning("peers in " + peer_file_ + " are ignored: " + peers.error().text);
      return;
    }
    for (const auto& peer : *peers) node_.handle_known_peer(now, peer);
    peers_written_ = *text;
  }
}

void Runtime::write_leases(Instant now) {
  const bool is_due = node_.vnet().leases_dirty() || are_leases_unwritten_;
  if (!state_writer_ || !is_due || now < leases_at_) return;
  leases_at_ = now + kLeaseWriteInterval;
  state_writer_->write(lease_file_, node_.vnet().save_leases(now, unix_now()));
  node_.vnet().leases_saved();
  are_leases_unwritten_ = false;
}

void Runtime::write_peers(Instant now) {
  if (!state_writer_ || now < peers_at_) return;
  peers_at_ = now + kPeerWriteInterval;
  const auto peers = node_.peers();
  if (peers.empty()) return;
  std::string text = save_peers(peers);
  if (text == peers_written_) return;
  state_writer_->write(peer_file_, text);
  peers_written_ = std::move(text);
}

void Runtime::write_settings(Instant now) {
  const uint64_t version = node_.settings().version();
  if (!state_writer_ || version == settings_written_ || now < settings_at_) return;
  state_writer_->write(settings_file_, node_.settings().file());
  settings_written_ = version;
}

void Runtime::handle_unwritten(Instant now) {
  while (const auto failure = state_writer_ ? state_writer_->poll_failure() : std::nullopt) {
    const Instant retry_at = now + kStateRetryInterval;
    if (failure->path == lease_file_) {
      log_.warning("leases would be lost in a restart: " + failure->problem.text);
      are_leases_unwritten_ = true;
      leases_at_ = retry_at;
    } else if (failure->path == peer_file_) {
      log_.warning("peers would be forgotten in a restart: " + failure->problem.text);
      peers_written_.clear();
      peers_at_ = retry_at;
    } else {
      log_.warning("settings would be forgotten in a restart: " + failure->problem.text);
      settings_written_ = 0;
      settings_at_ = retry_at;
    }
  }
}

void Runtime::make_report_if_due(Instant now) {
  if (!is_report_due_ || now < report_at_) return;
  is_report_due_ = false;
  report_at_ = now + kReportInterval;
  auto report = std::make_shared<const Report>(make_report(node_, now));
  const std::string said = digest(*report);
  report_.publish(std::move(report));
  if (said == reported_) return;
  reported_ = said;
  report_seq_.fetch_add(1, std::memory_order_release);
}

void Runtime::sleep_until(Instant deadline) {
  const Instant now = monotonic_now();
  if (deadline <= now) return;
  pollfd wakeup{.fd = inbox_.wakeup().fd(), .events = POLLIN, .revents = 0};
  const auto nanoseconds = std::chrono::nanoseconds(std::min<Duration>(deadline - now, 60s)).count();
  const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
  ppoll(&wakeup, 1, &timeout, nullptr);
}

}  // namespace ipop
