// What ipopctl may ask an ipop-node: views, which are there at once, and questions, which are answered when
// the overlay has.
#pragma once

#include <string>
#include <vector>

#include "overlay/io/bare_node.h"
#include "overlay/tools/control_socket.h"

namespace ipop {

class NodeCommands {
 public:
  /// `node` must outlive it.
  NodeCommands(BareNode& node, ControlServer server) : node_(node), server_(std::move(server)) {}

  /// Appends what to wait for.
  void wait(std::vector<pollfd>& entries) const;
  /// Takes commands and answers them, as far as that is possible without waiting.
  void run();

 private:
  /// A question that is not answered yet.
  struct Asked {
    uint64_t client;
    uint64_t number;  ///< Of Questions.
    bool json;
  };

  void handle(const ControlServer::Command& command);
  Result<Questions::Question, Problem> question(const std::string& name, const std::string& target) const;
  void answer_asked();

  BareNode& node_;
  ControlServer server_;
  std::vector<Asked> asked_;
};

}  // namespace ipop
