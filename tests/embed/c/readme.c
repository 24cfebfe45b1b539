#include <crewe/crewe.h>
#include <stdio.h>

int main(void) {
  const crewe_image images[] = {{.size = sizeof(crewe_image), .name = "ricom", .kind = CREWE_RICOM, .kernel = 31}};
  const crewe_session_options options = {
      .size = sizeof options,
      .scan_rows = 32,
      .scan_columns = 32,
      .detector_rows = 64,
      .detector_columns = 64,
      .images = images,
      .image_count = 1,
  };
  crewe_session* session = NULL;
  if (crewe_session_create(&options, &session) != CREWE_OK) {
    fprintf(stderr, "%s\n", crewe_last_error());
    return 1;
  }
  const float* picture; /* fills while the scan runs */
  size_t shape[3];
  crewe_session_image(session, "ricom", &picture, shape);

  static uint16_t frame[64 * 64];
  for (size_t i = 0; i < 32 * 32; ++i) {
    frame[i * 7 % (64 * 64)] += 10; /* your camera */
    const crewe_frames block = {.size = sizeof(crewe_frames), .data = frame, .pixel = CREWE_U16, .count = 1};
    if (crewe_session_push(session, &block, CREWE_NEXT, NULL, NULL) != CREWE_OK) return 1;
  }
  printf("%zu positions, first pixel %g\n", crewe_session_done(session), (double)picture[0]);
  crewe_session_destroy(session);
  return 0;
}
