// ipop-node: a member without a switch, which introduces others and carries their messages on.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <iostream>

#include "overlay/io/bare_node.h"
#include "overlay/tools/node_commands.h"

namespace ipop {
namespace {

namespace po = boost::program_options;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

/// Lines on standard error, each with the time and, unless it is mere information, its level.
class StderrLog : public Log {
 public:
  explicit StderrLog(bool is_verbose) : is_verbose_(is_verbose) {}
  void write(Level level, std::string_view line) override {
    if (level == Level::Debug && !is_verbose_) return;
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    tm utc;
    gmtime_r(&now.tv_sec, &utc);
    char date[32];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    constexpr const char* kLevels[] = {"debug: ", "", "warning: "};
    // One call, so that lines of two threads do not mix.
    fprintf(stderr, "%s.%03ldZ %s%.*s\n", date, now.tv_nsec / 1'000'000, kLevels[static_cast<size_t>(level)],
            static_cast<int>(line.size()), line.data());
  }

 private:
  bool is_verbose_;
};

struct CommandLine {
  BareNode::Options node;
  std::string control;
  bool is_verbose = false;
};

po::options_description option_table() {
  po::options_description out("Options", 100);
  out.add_options()("invite", po::value<std::string>()->value_name("FILE"),
                    "the invite that ipopctl host invite made; required")(
      "listen", po::value<std::string>()->value_name("[ADDR]:PORT")->default_value(":51128"),
      "where to listen; an address only if not on all")(
      "introducers", po::value<std::string>()->value_name("LIST"),
      "\"ADDR:PORT, ADDR:PORT\": members to call besides the invite's introducers")(
      "state-dir", po::value<std::string>()->value_name("DIR")->default_value(kDefaultStateDir),
      "where the peers to call survive a restart")("control", po::value<std::string>()->value_name("SOCKET"),
                                                   "where to answer ipopctl node SOCKET ...")(
      "verbose", "log more")("help,h", "show this and exit")("version", "show the version and exit");
  return out;
}

void print_help() {
  std::cout << "ipop-node: a member of an IPOP network on a machine without a switch.  It introduces others\n"
               "and carries their messages on.\n\n"
               "Usage: ipop-node --invite FILE [OPTIONS]\n\n"
            << option_table()
            << "\nExample:\n"
               "  ipop-node --invite /etc/ipop/gamma.ipop --control /run/ipop-gamma.sock\n"
               "  ipopctl node /run/ipop-gamma.sock peers\n\n"
               "Runs in the foreground and logs to standard error.  SIGTERM or SIGINT ends it, after it has\n"
               "told its peers.  Exit status: 0 then, 1 if it failed, 2 if the command line is wrong.\n";
}

/// Throws po::error, whose text is a sentence.
CommandLine understand(const po::variables_map& given) {
  CommandLine out;
  const auto text = [&](const char* name) { return given[name].as<std::string>(); };
  if (!given.count("invite")) {
    throw po::error(
        "--invite is missing: the path of the file that \"ipopctl host invite NETWORK HOST\" made");
  }
  out.node.invite = text("invite");
  const auto listen = Endpoint::parse(text("listen"));
  if (!listen) {
    throw po::error("--listen: \"" + text("listen") + "\" is no ADDRESS:PORT, [ADDRESS]:PORT or :PORT");
  }
  out.node.listen = *listen;
  if (given.count("introducers")) {
    auto introducers = parse_introducers(text("introducers"));
    if (!introducers) throw po::error("--introducers: " + introducers.error().text);
    out.node.introducers = std::move(*introducers);
  }
  out.node.state_dir = text("state-dir");
  if (given.count("control")) out.control = text("control");
  out.is_verbose = given.count("verbose") > 0;
  return out;
}

/// SIGTERM and SIGINT, for all threads to come, as something to wait for.
Descriptor block_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  return Descriptor(signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
}

void serve(BareNode& node, NodeCommands* commands, const Descriptor& signals) {
  while (true) {
    int fds[2];
    node.fds(fds);
    std::vector<pollfd> entries{{.fd = signals.get(), .events = POLLIN, .revents = 0},
                                {.fd = fds[0], .events = POLLIN, .revents = 0},
                                {.fd = fds[1], .events = POLLIN, .revents = 0}};
    if (commands != nullptr) commands->wait(entries);
    poll(entries.data(), entries.size(), node.is_ready() ? 0 : -1);
    if (entries[0].revents != 0) return;
    node.receive();
    if (commands != nullptr) commands->run();
  }
}

int fail(const Problem& problem) {
  std::cerr << "ipop-node: " << problem.text << "\n";
  return kExitFailed;
}

int run(const CommandLine& options) {
  const Descriptor signals = block_signals();
  StderrLog log(options.is_verbose);
  std::optional<ControlServer> control;
  if (!options.control.empty()) {
    auto opened = ControlServer::open(options.control);
    if (!opened) return fail(opened.error());
    control.emplace(std::move(*opened));
  }
  auto node = BareNode::open(options.node, log);
  if (!node) return fail(node.error());
  const auto report = (*node)->runtime().report().get();
  log.info("node " + report->node.to_short_string() + ", host " + report->host + " of network " +
           report->network + ", listens on " + (*node)->facts().listen.to_string());
  {
    std::optional<NodeCommands> commands;
    if (control) commands.emplace(**node, std::move(*control));
    serve(**node, commands ? &*commands : nullptr, signals);
  }
  node->reset();
  log.info("ended");
  return 0;
}

int main_with(int argc, char** argv) {
  constexpr int kStyle = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  CommandLine options;
  try {
    po::variables_map given;
    po::store(po::command_line_parser(argc, argv)
                  .options(option_table())
                  .positional(po::positional_options_description())  // None: a stray word is an error.
                  .style(kStyle)
                  .run(),
              given);
    if (given.count("help")) return print_help(), 0;
    if (given.count("version")) return std::cout << "ipop-node " IPOP_VERSION "\n", 0;
    options = understand(given);
  } catch (const po::error& error) {
    std::cerr << "ipop-node: " << error.what() << "\nSee ipop-node --help\n";
    return kExitUsage;
  }
  return run(options);
}

}  // namespace
}  // namespace ipop

int main(int argc, char** argv) try {
  return ipop::main_with(argc, argv);
} catch (const std::exception& error) {
  return ipop::fail({error.what()});
}
