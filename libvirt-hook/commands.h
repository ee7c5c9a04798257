// The command lines behind a plan.  Each is a program with its arguments, run without a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libvirt-hook/plan.h"

namespace ipop::hook {

using Command = std::vector<std::string>;

Command list_guards();
Command list_switch();

/// REQUIRES: the names in `action` are of the kinds that names.h describes, as make_plan() guarantees.
Command command_for(const Action& action);

}  // namespace ipop::hook
