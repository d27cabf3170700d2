// A store in a folder: FOLDER/<kind>/<hex name>, packs one level deeper (FOLDER/packs/ab/ab12...).
//
// put() writes to FOLDER/tmp/<pid>-<random>, syncs the file, renames it to its name; sync() then syncs the folders that
// changed. What a crash leaves in tmp/ is removed by the first put() that finds it older than a day by the store's own
// clock. Names that are not objects' (.nfs*, Thumbs.db, anything in upper case) are left alone and never shown, and
// symlinks are not followed. Objects have mode 0400, folders 0700.
// `received` is the file's modification time: the clock of the machine that serves the folder.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "store/file_system.h"
#include "store/store.h"

namespace kura::store {

// `files` outlives the store. kNotFound when the folder does not exist or holds no repository. Writes nothing.
base::Result<std::unique_ptr<Store>> open_folder_store(const std::string& folder, FileSystem& files);
// Makes the folder (and those above it) and what belongs in it, durably; a store that is there is opened. kExists when
// the folder has something else in it.
base::Result<std::unique_ptr<Store>> create_folder_store(const std::string& folder, FileSystem& files);

}  // namespace kura::store
