import { describe, expect, it } from 'vitest';
import { containerOf } from '../../src/recorder/proc.js';

const ID = '0123456789abcdef'.repeat(4);
const OTHER = 'fedcba9876543210'.repeat(4);

describe('containerOf', () => {
  it.each([
    ['Docker with systemd', `/system.slice/docker-${ID}.scope`],
    ['Docker with cgroupfs', `/docker/${ID}`],
    [
      'containerd under Kubernetes',
      `/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope`,
    ],
    ['CRI-O', `/kubepods.slice/kubepods-besteffort.slice/crio-${ID}.scope`],
    ['Podman', `/machine.slice/libpod-${ID}.scope/container`],
    ['a container in a container', `/docker/${OTHER}/docker/${ID}`],
  ])('finds the id that %s gives', (_, path) => {
    expect(containerOf(path)).toBe(ID);
  });

  it('finds none elsewhere', () => {
    for (const path of ['', '/', '/system.slice/nginx.service', `/x-${ID}0`, `/${ID.slice(1)}`]) {
      expect(containerOf(path)).toBeUndefined();
    }
  });
});
