// Changes of settings while the scan runs, with effect for the past.
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "live/state.hpp"

namespace crewe::live {

void Session::configure(const Changes& changes) {
  {
    const auto held = state_->lock.guest();
    state_->configure(changes);
    state_->publish();
  }
  for (Picture& picture : state_->pictures) state_->integrate(picture);
}

void Session::State::configure(const Changes& changes) {
  // Everything that may be wrong comes first.
  std::vector<Picture*> changed;
  std::vector<std::optional<imaging::RicomKernel>> kernels;
  for (const auto& [name, kind] : changes.images) {
    Picture& picture = find(name);
    if (check_kind(name, kind, options) != std::array{picture.rows, picture.columns, picture.depth}) {
      throw std::invalid_argument(name + ": a kind whose image has the same shape wanted");
    }
    changed.push_back(&picture);
    kernels.push_back(make_kernel(kind, options));
  }
  if (changes.center && *changes.center) check_center(**changes.center);
  if (changes.descan) check_descan(*changes.descan);
  if (changes.rotation) check_rotation(*changes.rotation);

  // Phases are made of this scan as they are, and of the next one with what is changed: `begin_ssb` turns them, which
  // is never wrong.
  std::vector<std::pair<Picture*, std::unique_ptr<imaging::SsbSums>>> phases;
  for (Picture& picture : pictures) {
    const auto at = std::find(changed.begin(), changed.end(), &picture);
    const bool anew = at != changed.end();
    const Kind& kind = anew ? changes.images[static_cast<std::size_t>(at - changed.begin())].second : picture.kind;
    const auto* ssb = std::get_if<SSB>(&kind);
    if (ssb != nullptr && (anew || changes.center)) phases.emplace_back(&picture, make_ssb(*ssb, changes));
  }

  for (auto& [picture, next] : phases) picture->next_ssb = std::move(next);
  bool reduce_anew = false;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    Picture& picture = *changed[i];
    reduce_anew = reduce_anew || picture.is<VirtualDetector>();
    const bool kept = picture.is<VirtualDetector>(), external = picture.is<External>();
    prepare(picture, changes.images[i].second, std::move(kernels[i]));
    reduce_anew = reduce_anew || picture.is<VirtualDetector>();
    const bool empty = picture.is<VirtualDetector>() ? !kept
                       : picture.is<External>()      ? !external
                                                     : picture.is<SSB>() && !picture.ssb;
    if (empty) std::fill_n(picture.pixels.get(), picture.size(), 0.0F);
    if (!picture.is<SSB>()) picture.ssb.reset(), picture.next_ssb.reset();
    if (!picture.is<External>() && picture.lines) picture.lines->stop();
    mark(picture, 0, picture.rows);
  }
  if (changes.center) {
    options.center = *changes.center;
    if (options.center) {
      center.middle = detector_center = *options.center;
      reduce_anew = true;
    }
  }
  if (changes.descan) options.descan = center.slopes = *changes.descan;
  adaptive = !options.center || options.descan.fit;
  if (changes.rotation) options.rotation = *changes.rotation;
  if (changes.transpose) options.transpose = *changes.transpose;
  set_turn();
  if (reduce_anew) prepare_reducers();

  const auto has_kernel = [](const Picture* picture) { return picture->kernel.has_value(); };
  if (changes.center || changes.descan || changes.rotation || changes.transpose) {
    if (!(adaptive && refine(true))) recompute();
  } else if (!scattered.empty() && std::any_of(changed.begin(), changed.end(), has_kernel)) {
    recompute();  // of positions whose events still come, all riCOM images must hold the same
  } else {
    bool vectors_changed = false;
    for (Picture* picture : changed) {
      if (picture->kernel) recompute_ricom(*picture);
      vectors_changed = vectors_changed || picture->is<CenterOfMass>() || picture->is<ElectricField>();
    }
    if (vectors_changed) recompute_vectors();
  }
  for (Picture* picture : changed) {
    if (picture->is<VirtualDetector>() && options.keep_profile) set_from_profile(*picture);
    if (picture->is<Sum>()) set_sum_images(0, picture->size());
  }
}

void Session::State::begin_ssb() {
  for (Picture& picture : pictures) {
    const auto* kind = std::get_if<SSB>(&picture.kind);
    if (kind == nullptr) continue;
    if (picture.next_ssb) picture.ssb = std::move(picture.next_ssb);
    if (picture.ssb && ssb_fits(picture.ssb->options())) {
      picture.ssb->clear();
    } else {
      picture.ssb.reset();  // first: its weights are large
      picture.ssb = make_ssb(*kind);
    }
  }
}

bool Session::State::ssb_fits(const imaging::SsbOptions& made) const {
  return made.cy == detector_center.y && made.cx == detector_center.x && made.rotation == options.rotation &&
         made.transpose == options.transpose;
}

// A ring that a radius cuts counts by the share of its pixels that lie inside.
void Session::State::set_from_profile(Picture& picture) {
  const auto& kind = std::get<VirtualDetector>(picture.kind);
  const std::vector<float> inside =
      imaging::ring_weights(options.ky, options.kx, kind.inner, kind.outer, ring_center.y, ring_center.x);
  std::vector<double> share(ring_count), pixels(ring_count);
  for (std::size_t i = 0; i < rings.size(); ++i) {
    if (!options.dead_pixels.empty() && options.dead_pixels[i] != 0) continue;
    pixels[rings[i]] += 1;
    share[rings[i]] += static_cast<double>(inside[i]);
  }
  for (std::size_t j = 0; j < ring_count; ++j) share[j] /= std::max(pixels[j], 1.0);
  pool.run(positions, 4096, [&](std::size_t from, std::size_t to) {
    for (std::size_t position = from; position < to; ++position) {
      double sum = 0;
      for (std::size_t j = 0; j < ring_count; ++j) {
        sum += share[j] * static_cast<double>(profile[position * ring_count + j]);
      }
      picture.pixels.get()[position] = static_cast<float>(sum);
      if (!detector_sums.empty()) detector_sums[position * detectors + picture.detector] = sum;
    }
  });
}

}  // namespace crewe::live
