#include "detect/images/jpeg_scan.h"

namespace kura::detect::jpeg {
namespace {

constexpr std::string_view kNoCode = "bits in the picture that are no code";
constexpr std::string_view kTooMany = "a block of the picture with too many coefficients";

// Bytes that may be left of a segment. Writers pad by a byte or two; cameras by more.
constexpr std::uint64_t kSlack = 64;

class Follower {
 public:
  Follower(Window& in, Range range, Frame& frame, const Scan& scan, const Tables& tables)
      : bits_(in, range), frame_(&frame), scan_(&scan), tables_(&tables) {}

  std::optional<std::string_view> all(Budget& budget);

 private:
  using Step = const char* (Follower::*)(const Scan::Part&, std::uint64_t*);
  Step step() const;
  const char* unit(std::uint64_t number);
  const char* segment_end(bool last);

  const char* sequential(const Scan::Part& part, std::uint64_t* block);
  const char* dc_first(const Scan::Part& part, std::uint64_t* block);
  const char* dc_refined(const Scan::Part& part, std::uint64_t* block);
  const char* ac_first(const Scan::Part& part, std::uint64_t* block);
  const char* ac_refined(const Scan::Part& part, std::uint64_t* block);
  const char* refine_block(const Huffman& table, std::uint64_t& block);
  void correct(std::uint64_t block, unsigned from);
  std::uint64_t* block_of(Component& component, std::uint64_t column, std::uint64_t row);

  Bits bits_;
  Frame* frame_;
  const Scan* scan_;
  const Tables* tables_;
  Step step_ = nullptr;
  std::uint32_t run_ = 0;  // blocks that are still to end at once
};

const char* Follower::sequential(const Scan::Part& part, std::uint64_t* /*block*/) {
  const int size = tables_->dc[part.dc].take(bits_);
  if (size < 0 || size > 16) return kNoCode.data();
  bits_.take(static_cast<unsigned>(size));
  const Huffman& table = tables_->ac[part.ac];
  for (unsigned k = 1; k < 64; ++k) {
    const int symbol = table.take(bits_);
    if (symbol < 0) return kNoCode.data();
    const auto value = static_cast<unsigned>(symbol) & 15U;
    const unsigned zeros = static_cast<unsigned>(symbol) >> 4U;
    if (value == 0) {
      if (zeros != 15) break;
      k += 15;
      continue;  // some writers end a block by a run that goes over it
    }
    k += zeros;
    if (k > 63) return kTooMany.data();
    bits_.skip(value);  // at most 16 + 15 since the last look
  }
  return nullptr;
}

const char* Follower::dc_first(const Scan::Part& part, std::uint64_t* /*block*/) {
  const int size = tables_->dc[part.dc].take(bits_);
  if (size < 0 || size > 16) return kNoCode.data();
  bits_.take(static_cast<unsigned>(size));
  return nullptr;
}

const char* Follower::dc_refined(const Scan::Part& /*part*/, std::uint64_t* /*block*/) {
  bits_.take(1);
  return nullptr;
}

const char* Follower::ac_first(const Scan::Part& part, std::uint64_t* block) {
  if (run_ > 0) {
    --run_;
    return nullptr;
  }
  const Huffman& table = tables_->ac[part.ac];
  for (unsigned k = scan_->first; k <= scan_->last; ++k) {
    const int symbol = table.take(bits_);
    if (symbol < 0) return kNoCode.data();
    const auto value = static_cast<unsigned>(symbol) & 15U;
    const unsigned zeros = static_cast<unsigned>(symbol) >> 4U;
    k += zeros;
    if (value == 0) {
      if (zeros == 15) continue;
      run_ = (1U << zeros) - 1 + bits_.take(zeros);
      return nullptr;
    }
    if (k > scan_->last) return kTooMany.data();
    bits_.skip(value);
    if (block != nullptr) *block |= 1ULL << k;
  }
  return nullptr;
}

// One bit for each coefficient that is known already, from `from` on.
void Follower::correct(std::uint64_t block, unsigned from) {
  for (unsigned k = from; k <= scan_->last; ++k) {
    if ((block >> k & 1) != 0) bits_.take(1);
  }
}

const char* Follower::ac_refined(const Scan::Part& part, std::uint64_t* block) {
  if (block == nullptr) return "a refinement of nothing";
  if (run_ > 0) {
    --run_;
    correct(*block, scan_->first);
    return nullptr;
  }
  return refine_block(tables_->ac[part.ac], *block);
}

const char* Follower::refine_block(const Huffman& table, std::uint64_t& block) {
  const std::uint64_t before = block;
  for (unsigned k = scan_->first; k <= scan_->last; ++k) {
    const int symbol = table.take(bits_);
    if (symbol < 0) return kNoCode.data();
    const auto value = static_cast<unsigned>(symbol) & 15U;
    unsigned zeros = static_cast<unsigned>(symbol) >> 4U;
    if (value > 1) return kNoCode.data();
    if (value == 0 && zeros < 15) {
      run_ = (1U << zeros) - 1 + bits_.take(zeros);
      correct(before, k);
      return nullptr;
    }
    if (value == 1) bits_.take(1);
    for (; k <= scan_->last; ++k) {
      if ((before >> k & 1) != 0) {
        bits_.take(1);
      } else if (zeros-- == 0) {
        break;
      }
    }
    if (value == 1) {
      if (k > scan_->last) return kTooMany.data();
      block |= 1ULL << k;
    }
  }
  return nullptr;
}

std::uint64_t* Follower::block_of(Component& component, std::uint64_t column, std::uint64_t row) {
  const std::uint64_t index = row * component.padded_columns + column;
  return index < component.coefficients.size() ? &component.coefficients[index] : nullptr;
}

// A scan of one component has one block a unit, without those that only pad the picture.
const char* Follower::unit(std::uint64_t number) {
  if (scan_->parts.size() == 1) {
    Component& component = frame_->components[scan_->parts[0].component];
    std::uint64_t* const block = component.coefficients.empty()
                                     ? nullptr
                                     : block_of(component, number % component.columns, number / component.columns);
    return (this->*step_)(scan_->parts[0], block);
  }
  for (const Scan::Part& part : scan_->parts) {
    const Component& component = frame_->components[part.component];
    for (unsigned i = 0; i < unsigned{component.across} * component.down; ++i) {
      if (const char* wrong = (this->*step_)(part, nullptr)) return wrong;
    }
  }
  return nullptr;
}

Follower::Step Follower::step() const {
  if (frame_->process != 2) return &Follower::sequential;
  if (scan_->first == 0) return scan_->high == 0 ? &Follower::dc_first : &Follower::dc_refined;
  return scan_->high == 0 ? &Follower::ac_first : &Follower::ac_refined;
}

const char* Follower::segment_end(bool last) {
  if (bits_.ran_out()) return "the picture's codes end early";
  if (bits_.left() > kSlack) return "the picture's codes go on after its last block";
  run_ = 0;
  if (!last && !bits_.restart()) return "a restart marker is missing";
  return nullptr;
}

std::optional<std::string_view> Follower::all(Budget& budget) {
  step_ = step();
  const std::uint64_t units = scan_->units(*frame_);
  std::uint64_t until_restart = scan_->restart_every;
  for (std::uint64_t i = 0; i < units; ++i) {
    if (scan_->restart_every != 0 && until_restart-- == 0) {
      if (const char* wrong = segment_end(false)) return wrong;
      until_restart = scan_->restart_every - 1;
    }
    if (const char* wrong = unit(i)) {
      if (bits_.left() < 2) return "the picture's codes end early";  // beyond the end there are ones
      return wrong;
    }
    if (bits_.ran_out()) return "the picture's codes end early";
    if (i % 64 == 0 && !budget.spend(64 * (scan_->parts.size() == 1 ? 1 : 4))) return std::nullopt;
  }
  if (const char* wrong = segment_end(true)) return wrong;
  return std::nullopt;
}

bool has_tables(const Frame& frame, const Scan& scan, const Tables& tables) {
  for (const Scan::Part& part : scan.parts) {
    const bool dc = scan.first == 0 && scan.high == 0;
    const bool ac = frame.process != 2 || scan.first > 0;
    if ((dc && !tables.dc[part.dc].built()) || (ac && !tables.ac[part.ac].built())) return false;
  }
  return true;
}

}  // namespace

std::uint64_t Scan::units(const Frame& frame) const {
  if (parts.size() == 1) {
    const Component& component = frame.components[parts[0].component];
    return std::uint64_t{component.columns} * component.rows;
  }
  return std::uint64_t{frame.units_across} * frame.units_down;
}

std::optional<std::string_view> follow(Window& in, Range range, Frame& frame, const Scan& scan, const Tables& tables,
                                       Budget& budget) {
  if (!has_tables(frame, scan, tables)) return std::nullopt;  // they are elsewhere: TIFF, films
  if (!budget.spend(range.size)) return std::nullopt;
  return Follower(in, range, frame, scan, tables).all(budget);
}

}  // namespace kura::detect::jpeg
