#include "overlay/fastpath/sealed_batch.h"

namespace ipop {

bool SealedBatch::commit(const Endpoint& to, size_t size, bool may_join) {
  const bool fits = may_join && !train_closed_ && trains_.back().to == to &&
                    size <= trains_.back().segment_size && segments_ < kMaxTrainSegments &&
                    trains_.back().size + size <= kMaxTrainSize;
  if (fits) {
    trains_.back().size += size;
    ++segments_;
    train_closed_ = size < trains_.back().segment_size;
  } else {
    trains_.push_back({.to = to, .offset = used_, .size = size, .segment_size = size});
    segments_ = 1;
    train_closed_ = false;
  }
  used_ += size;
  return fits;
}

void SealedBatch::clear() {
  trains_.clear();
  used_ = 0;
  segments_ = 0;
  train_closed_ = true;
}

}  // namespace ipop
