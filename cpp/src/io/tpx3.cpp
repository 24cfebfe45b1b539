#include "crewe/io/tpx3.hpp"

#include "io/tpx3_stream.hpp"

namespace crewe::io {

using tpx3::Word;

struct Tpx3Decoder::State {
  tpx3::Stream stream;
  tpx3::Clock clock;
};

Tpx3Decoder::Tpx3Decoder() : state_(std::make_unique<State>()) {}
Tpx3Decoder::~Tpx3Decoder() = default;
Tpx3Decoder::Tpx3Decoder(Tpx3Decoder&&) noexcept = default;
Tpx3Decoder& Tpx3Decoder::operator=(Tpx3Decoder&&) noexcept = default;

void Tpx3Decoder::feed(std::span<const std::byte> bytes, std::vector<Tpx3Hit>& hits, std::vector<Tpx3Tdc>& tdc) {
  tpx3::Stream& stream = state_->stream;
  tpx3::Clock& clock = state_->clock;
  hits.reserve(hits.size() + bytes.size() / 8);
  stream.feed(bytes, [&](std::uint8_t chip, const std::byte* words, std::size_t n) {
    const std::size_t before = hits.size();
    hits.resize(before + n);
    Tpx3Hit* hit = hits.data() + before;
    std::size_t i = 0;
    for (; i < n; ++i) {
      const std::uint64_t word = tpx3::load(words + 8 * i);
      const Word kind = tpx3::kind(word);
      if (kind == Word::hit) {
        *hit++ = {clock.at(tpx3::hit_time(word)), tpx3::hit_x(word), tpx3::hit_y(word), tpx3::hit_tot(word), chip};
      } else if (kind == Word::tdc) {
        ++stream.counts.tdc;
        tdc.push_back({clock.at(tpx3::tdc_time(word)), tpx3::tdc_channel(word), tpx3::tdc_rising(word), chip});
      } else if (kind == Word::time) {
        ++stream.counts.heartbeats;
        clock.at(tpx3::heartbeat_time(word));
      } else if (!stream.passes(word, kind)) {
        break;
      }
      if (kind != Word::unknown) stream.credit.known(1);
    }
    const auto found = static_cast<std::size_t>(hit - (hits.data() + before));
    stream.counts.hits += found;
    hits.resize(before + found);
    return i;
  });
}

void Tpx3Decoder::finish() {
  state_->stream.finish();
}

const Tpx3Counts& Tpx3Decoder::counts() const {
  return state_->stream.counts;
}
const std::optional<Damage>& Tpx3Decoder::damage() const {
  return state_->stream.damage;
}

}  // namespace crewe::io
