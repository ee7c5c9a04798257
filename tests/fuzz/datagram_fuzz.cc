// Any datagram: whatever decodes encodes to the same octets again, but for the MACs, which are not the
// codec's.
#include "overlay/wire/datagram.h"

#include <algorithm>

#include "overlay/base/assert.h"

using namespace ipop;
using namespace ipop::wire;

namespace {

/// The codec's part of `datagram`, before `tail` octets that it leaves to others, is what encode() gives.
template <class T>
void check(ByteView datagram, size_t tail) {
  const auto decoded = T::decode(datagram);
  if (!decoded) return;
  Bytes again = decoded->encode();
  IPOP_ASSERT(again.size() + tail == datagram.size());
  IPOP_ASSERT(std::equal(again.begin(), again.end(), datagram.begin()));
  again.insert(again.end(), datagram.end() - static_cast<ptrdiff_t>(tail), datagram.end());
  IPOP_ASSERT(T::decode(again));
}

void check_data_header(ByteView datagram) {
  const auto header = DataHeader::decode(datagram);
  if (!header) return;
  Bytes again(DataHeader::kSize);
  header->encode_to(again.data());
  IPOP_ASSERT(std::equal(again.begin(), again.end(), datagram.begin()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView datagram(data, size);
  const auto type = peek_type(datagram);
  check<Initiation>(datagram, 2 * kMacSize);
  check<Response>(datagram, 2 * kMacSize);
  check<Confirmation>(datagram, 2 * kMacSize);
  check<CookieReply>(datagram, 0);
  check<UnknownSession>(datagram, 0);
  check_data_header(datagram);
  if (!type) {  // What has no type is no message either.
    IPOP_ASSERT(!Initiation::decode(datagram) && !Response::decode(datagram) &&
                !Confirmation::decode(datagram));
    IPOP_ASSERT(!CookieReply::decode(datagram) && !UnknownSession::decode(datagram) &&
                !DataHeader::decode(datagram));
  }
  return 0;
}
