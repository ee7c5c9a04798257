#include "overlay/tools/node_commands.h"

#include <algorithm>
#include <sstream>

#include "overlay/io/answer_view.h"
#include "overlay/io/dht_view.h"
#include "overlay/io/lease_view.h"
#include "overlay/io/ring_view.h"
#include "overlay/io/settings_view.h"
#include "overlay/io/why_view.h"

namespace ipop {
namespace {

struct Words {
  std::string name;
  std::string target;  ///< Of trace, why and settings-load.
  bool json = false;
};

/// "trace --json 10.128.0.2" and its like.
Result<Words, Problem> parse(const std::string& line) {
  Words out;
  std::istringstream in(line);
  in >> out.name;
  const bool is_path = out.name == "settings-load";  // Which may have blanks in it.
  for (std::string word; in >> word;) {
    if (word == "--json") {
      out.json = true;
    } else if (is_path) {
      std::string rest;
      std::getline(in, rest);
      out.target = word + rest;
    } else if ((out.name == "trace" || out.name == "why") && out.target.empty()) {
      out.target = word;
    } else {
      return Problem{"\"" + word + "\" means nothing to " + out.name};
    }
  }
  return out;
}

/// Nothing if there is no such view.
std::optional<std::string> view(BareNode& node, const Words& words) {
  const auto report = node.runtime().report().get();
  const Instant now = monotonic_now();
  if (words.name == "show") return show(*report, node.facts(), now, words.json);
  if (words.name == "peers") return show_peers(*report, now, words.json);
  if (words.name == "ring") return show_ring(*report, now, words.json);
  if (words.name == "dht") return show_dht(*report, now, words.json);
  if (words.name == "leases") return show_leases(*report, now, words.json);
  if (words.name == "settings") return show_settings(*report, words.json);
  return std::nullopt;
}

}  // namespace

void NodeCommands::wait(std::vector<pollfd>& entries) const {
  server_.wait(entries);
  entries.push_back({.fd = node_.runtime().questions().fd(), .events = POLLIN, .revents = 0});
}

void NodeCommands::run() {
  server_.run();
  while (const auto command = server_.poll_command()) handle(*command);
  answer_asked();
}

void NodeCommands::handle(const ControlServer::Command& command) {
  const auto words = parse(command.line);
  if (!words) return server_.reply(command.client, words.error());
  if (const auto text = view(node_, *words)) return server_.reply(command.client, *text);
  const auto asked = question(words->name, words->target);
  if (!asked) return server_.reply(command.client, asked.error());
  const auto number = node_.runtime().questions().ask(*asked);
  if (!number) {
    return server_.reply(command.client,
                         Problem{"too many questions wait for an answer; ask again in some seconds"});
  }
  asked_.push_back({.client = command.client, .number = *number, .json = words->json});
}

Result<Questions::Question, Problem> NodeCommands::question(const std::string& name,
                                                            const std::string& target) const {
  if (name == "crawl") return Questions::Question(Questions::CrawlAll{});
  if (name == "why") {
    const auto address = parse_address(target);
    if (!address) return address.error();
    return Questions::Question(Questions::Explain{*address});
  }
  if (name == "settings-load") {
    const auto file = read_settings(target);
    if (!file) return file.error();
    return Questions::Question(Questions::LoadSettings{.path = target, .file = *file});
  }
  if (name != "trace") {
    return Problem{"\"" + name +
                   "\" is no command; there are: show, peers, leases, settings, ring, dht, "
                   "trace TARGET, crawl, why ADDRESS, settings-load FILE"};
  }
  const auto node = find_node(*node_.runtime().report().get(), target);
  if (!node) return node.error();
  return Questions::Question(Questions::TraceTo{*node});
}

void NodeCommands::answer_asked() {
  std::erase_if(asked_, [&](const Asked& asked) {
    const auto answer = node_.runtime().questions().collect(asked.number);
    if (!answer) return false;
    server_.reply(asked.client, show_answer(*node_.runtime().report().get(), *answer, asked.json));
    return true;
  });
}

}  // namespace ipop
