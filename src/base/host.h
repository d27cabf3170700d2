// Who and where this process is.
#pragma once

#include <string>

namespace kura::base {

// The host's name, "localhost" when the system does not tell.
std::string host_name();
// The user's name, or the number of one that has none.
std::string user_name();
// Lets this process open as many files as the system allows: deep trees hold a descriptor for each folder.
void raise_file_limit();
// Takes the places of standard input, output and error where a caller closed them, so that no file that is opened later
// is written to by accident. Reading and writing them fails as before (EBADF). To be called before any file is opened.
void occupy_standard_descriptors();

}  // namespace kura::base
