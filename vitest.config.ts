import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: 'test/global-setup.ts',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Live recorder tests share one kernel and two cores: files run one after another.
    fileParallelism: false,
    // Live tests share the kernel with whatever else the host does: one that fails is tried once more.
    retry: 1,
  },
});
