// How the answer to a question of io/questions.h is shown, for people and for programs.
#pragma once

#include <string>

#include "overlay/io/questions.h"
#include "overlay/io/report.h"

namespace ipop {

/// Hosts are named as far as `report`, which is of the node that asked, knows them.  A Problem if the node
/// refused what it was told.
Result<std::string, Problem> show_answer(const Report& report, const Questions::Answer& answer, bool json);

}  // namespace ipop
