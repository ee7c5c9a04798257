// ipopctl status: asks the switch.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "overlay/tools/command.h"

namespace ipop {
namespace {

constexpr int kNotFound = 127;  // As a shell would exit.

struct Outcome {
  int code = kExitFailed;
  std::string error;  ///< What it wrote to standard error.
};

// Runs a program without a shell; its standard output is ours.
Outcome run_program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return {.error = "no pipe"};
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_fds[1], STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(kNotFound);
  }
  close(pipe_fds[1]);
  Outcome outcome;
  char buffer[4096];
  for (ssize_t n; (n = read(pipe_fds[0], buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR);) {
    if (n > 0) outcome.error.append(buffer, static_cast<size_t>(n));
  }
  close(pipe_fds[0]);
  if (child < 0) return {.error = "no process"};
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) continue;
  outcome.code = WIFEXITED(state) ? WEXITSTATUS(state) : kExitFailed;
  while (outcome.error.ends_with('\n')) outcome.error.pop_back();
  return outcome;
}

Problem explain(const Outcome& outcome) {
  const auto says = [&](std::string_view text) { return outcome.error.find(text) != std::string::npos; };
  if (outcome.code == kNotFound) {
    return {"ovs-appctl is not installed here; on Debian it is in package openvswitch-common"};
  }
  if (says("is not a valid command")) {
    return {
        "the ovs-vswitchd that runs here has no IPOP; choose the right one with: update-alternatives "
        "--config "
        "ovs-vswitchd\n" +
        outcome.error};
  }
  if (says("pidfile") || says("cannot connect")) {
    return {
        "ovs-vswitchd does not run here, or you may not talk to it; see: systemctl status "
        "openvswitch-switch\n" +
        outcome.error};
  }
  return {outcome.error.empty() ? "ovs-appctl failed" : outcome.error};
}

void add_options(OptionTable& options) { options.add_options()("json", "print JSON"); }

int run(const Arguments& arguments) {
  std::vector<std::string> words = {"ovs-appctl", "-t", "ovs-vswitchd", "ipop/show"};
  if (arguments.count("json")) words.push_back("--json");
  if (arguments.count("PORT")) words.push_back(arguments["PORT"].as<std::string>());
  const Outcome outcome = run_program(words);
  return outcome.code == 0 ? kExitOk : fail(explain(outcome));
}

}  // namespace

Verb status() {
  return {.words = "status",
          .arguments = {"[PORT]"},
          .summary = "shows the IPOP ports of the switch on this host",
          .description =
              "Shows the IPOP ports of the switch on this host, or one of them: network, peers, guests.\n"
              "The same as ovs-appctl ipop/show.",
          .example = "ipopctl status ipop0",
          .add_options = add_options,
          .run = run};
}

}  // namespace ipop
