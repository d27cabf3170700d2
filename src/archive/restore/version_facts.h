// What the entries of two backups say of the files themselves, by what is remembered of them: is one whole, and is it
// still what the other was?
#pragma once

#include <optional>
#include <string>

#include "archive/format/entry.h"

namespace kura::archive {

bool is_broken(const Entry& entry);
// A file, and not broken.
bool is_whole(const std::optional<Entry>& entry);
bool has_content_of(const Entry& entry, const Entry& other);
bool is_text(const Judged& judged);       // of any encoding
bool is_of_a_kind(const Judged& judged);  // and whole as that

// From now on it is broken, and was whole.
void say_broken(Entry& entry, std::string evidence);

// Of the same contents, or whole as the same kind, or as any other that an attack does not write.
bool is_still(const Entry& entry, const Entry& before);

// Whole; and no text where the name, before the attack put something behind it, said another kind.
bool is_what_it_was_named(const std::string& path, const Judged& judged);

// The path up to the first dot of its name.
std::string without_extension(const std::string& path);

}  // namespace kura::archive
