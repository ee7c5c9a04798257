// The qemu hook of libvirt (https://libvirt.org/hooks.html), installed as /etc/libvirt/hooks/qemu.d/50-ipop.
// libvirt calls it with OBJECT OPERATION SUB-OPERATION EXTRA and writes the domain's XML to its stdin. plan.h
// says what it does, and what it cannot see.
//
// libvirt waits for a hook without any limit of its own, holds the domain's lock meanwhile, and takes an exit
// code other than 0 for an order: at `reconnect`, to kill the running guest.  So this process only
// supervises. A child does the work; whatever becomes of it, it and all that it started are gone within
// kPatience, and the exit code is 0.  Nothing is written to stdout (libvirt would read it as XML), and
// libvirt is never called.
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "libvirt-hook/commands.h"
#include "libvirt-hook/host.h"
#include "libvirt-hook/names.h"
#include "libvirt-hook/network.h"
#include "libvirt-hook/plan.h"
#include "libvirt-hook/run.h"
#include "libvirt-hook/xml.h"

namespace ipop::hook {
namespace {

using namespace std::chrono_literals;

constexpr auto kStdinPatience = 1s;    // libvirt writes the XML at once.
constexpr auto kCommandPatience = 2s;  // For one ovs-vsctl or nft; they take some 10 ms.
constexpr auto kWorkPatience = 3500ms;
constexpr auto kPatience = 4s;

void log(int priority, const Event& event, const std::string& text) {
  syslog(priority, "%s: %s: %s", printable(event.object).c_str(), printable(event.operation).c_str(),
         printable(text).c_str());
}

std::set<std::string, std::less<>> list_devices() {
  std::set<std::string, std::less<>> out;
  const std::unique_ptr<struct if_nameindex, decltype(&if_freenameindex)> devices(if_nameindex(),
                                                                                  if_freenameindex);
  for (const auto* each = devices.get(); each && each->if_name; ++each) out.insert(each->if_name);
  return out;
}

class Worker {
 public:
  explicit Worker(Event event) : event_(std::move(event)) {}

  void work() {
    if (!is_of_interest(event_)) return;
    const auto xml = read_all(STDIN_FILENO, kLargestXml, sooner(kStdinPatience));
    if (!xml) log(LOG_WARNING, event_, xml.error().text);
    const Host host = look_around();
    const Plan plan = make_plan(event_, xml ? as_bytes(*xml) : ByteView(), host);
    for (const auto& remark : plan.remarks) log(LOG_WARNING, event_, remark);
    for (const auto& action : plan.actions) carry_out(action);
  }

 private:
  // The order matters: host.h says why.
  Host look_around() {
    Host host;
    host.guards = query(list_guards(), parse_guards);
    host.ovs = query(list_switch(), parse_switch);
    host.devices = list_devices();
    host.networks = read_networks(kNetworksDirectory);
    return host;
  }

  template <class T>
  std::optional<T> query(const Command& command, Result<T, Problem> (*parse)(std::string_view)) {
    const auto output = run(command, sooner(kCommandPatience));
    if (!output) {
      log(LOG_WARNING, event_, output.error().text);
      return std::nullopt;
    }
    auto parsed = parse(*output);
    if (parsed) return std::move(*parsed);
    log(LOG_WARNING, event_, parsed.error().text);
    return std::nullopt;
  }

  void carry_out(const Action& action) {
    const Command command = command_for(action);
    const auto done = run(command, sooner(kCommandPatience));
    std::string line;
    for (const std::string& word : command) line += (line.empty() ? "" : " ") + word;
    log(done ? LOG_INFO : LOG_WARNING, event_, done ? line : done.error().text + "; it was: " + line);

    const auto* guard = std::get_if<AddGuard>(&action);
    if (!done && guard && guard->replaced)
      carry_out(AddGuard{guard->tap, std::nullopt});  // It went by itself.
  }

  Deadline sooner(std::chrono::milliseconds patience) const {
    return std::min(deadline_, std::chrono::steady_clock::now() + patience);
  }

  const Event event_;
  const Deadline deadline_ = std::chrono::steady_clock::now() + kWorkPatience;
};

[[noreturn]] void work(int argc, char** argv) {
  const auto argument = [&](int i) { return std::string(i < argc ? argv[i] : ""); };
  try {
    Worker({argument(1), argument(2), argument(3)}).work();
  } catch (...) {  // Nothing of ours throws; the standard library may, without memory.
    syslog(LOG_ERR, "gave up on an exception");
  }
  _exit(0);
}

// Waits for the worker or for patience to end, then ends the worker's whole process group.
void supervise(pid_t worker, const sigset_t& awaited) {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  bool ended = false;
  while (!ended) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= 0s) break;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec timeout{.tv_sec = seconds.count(),
                           .tv_nsec = std::chrono::nanoseconds(left - seconds).count()};
    const int signal = sigtimedwait(&awaited, nullptr, &timeout);
    if (signal > 0 && signal != SIGCHLD) break;
    siginfo_t
        info{};  // WNOWAIT: its pid, the group's id, is not given to another process until kill() is done.
    ended = waitid(P_PID, static_cast<id_t>(worker), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
  }
  kill(-worker, SIGKILL);
  if (!ended) {  // It is not waited for: a process stuck in the kernel dies when it comes out.
    syslog(LOG_WARNING, "gave up: not done in time");
    return;
  }
  int status = 0;
  if (waitpid(worker, &status, 0) == worker && !WIFEXITED(status)) {
    syslog(LOG_ERR, "the worker was ended by signal %d", WTERMSIG(status));
  }
}

// Whoever starts us without descriptors 0 to 2 would find our pipes in their place.
void fill_standard_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd >= 0) close(fd);
}

void start(int argc, char** argv) {
  fill_standard_descriptors();
  setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 0);
  openlog("ipop-hook", LOG_PID | LOG_PERROR,
          LOG_DAEMON);  // libvirt drops stderr; a person at a shell reads it.

  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE}) sigaddset(&awaited, signal);
  signal(SIGCHLD, SIG_DFL);  // An inherited SIG_IGN would take the exit of the worker away from us.
  sigprocmask(SIG_BLOCK, &awaited, nullptr);
  sigdelset(&awaited, SIGPIPE);

  const pid_t worker = fork();
  if (worker == 0) {
    setpgid(0, 0);
    work(argc, argv);
  } else if (worker > 0) {
    setpgid(worker, worker);  // Both do it: whoever comes first.
    supervise(worker, awaited);
  } else {
    syslog(LOG_ERR, "cannot fork");
  }
}

}  // namespace
}  // namespace ipop::hook

int main(int argc, char** argv) {
  ipop::hook::start(argc, argv);
  return 0;
}
