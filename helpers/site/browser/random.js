// Numbers that look random and follow from a seed: uniform from 0 to 1 (mulberry32), and normal (Box and Muller).
export function random(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1), kept = null;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => {
    if (kept !== null) {
      const value = kept;
      kept = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform();
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const normals = (n) => Float64Array.from({ length: n }, normal);
  return { uniform, normal, normals, below: (n) => Math.floor(n * uniform()) };
}
