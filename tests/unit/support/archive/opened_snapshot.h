// A snapshot of a built repository with all that reading its tree needs.
#pragma once

#include <utility>
#include <vector>

#include "archive/repo/pack_reader.h"
#include "support/archive/repository_builder.h"

namespace kura::archive::test {

// The builder outlives it.
struct OpenedSnapshot {
  OpenedSnapshot(const RepositoryBuilder& builder, StoredSnapshot stored)
      : snapshot(std::move(stored)),
        index(load_index(builder.repository(), snapshot, damaged).value()),
        reader(builder.repository(), index) {}
  const ContentRef& root() const { return snapshot.snapshot.label->root; }

  std::vector<DamagedObject> damaged;
  StoredSnapshot snapshot;
  ChunkIndex index;
  PackReader reader;
};

}  // namespace kura::archive::test
