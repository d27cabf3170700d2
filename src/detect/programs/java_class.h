// Java class files (The Java Virtual Machine Specification, chapter 4): exact to the last byte.
#pragma once

#include "detect/grammar/report.h"

namespace kura::detect::programs {

bool is_java_class(Window& in);
Report check_java_class(Window& in, Budget& budget);

}  // namespace kura::detect::programs
