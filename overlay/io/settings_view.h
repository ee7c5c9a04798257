// How the network's settings are shown, for people and for programs: which version is kept, and what guests
// are told, by it or by the port itself.
#pragma once

#include <string>

#include "overlay/io/questions.h"
#include "overlay/io/report.h"

namespace ipop {

std::string show_settings(const Report& report, bool json);

/// The answer to who had a file loaded; a Problem, which begins with the path, if it was refused.
Result<std::string, Problem> show_settings_loaded(const Questions::SettingsLoaded& loaded, bool json);

}  // namespace ipop
