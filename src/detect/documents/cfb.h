// Compound files ([MS-CFB]): documents of Office 97 to 2003, mails of Outlook, installers, thumbnails, and documents of
// today's Office that have a password.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::cfb {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::cfb
