// In the place of a kernel that draws: pictures that were drawn before, one for each setting.

const valuesOf = ({ values, options }) => (options?.length ? options : values);

// The model's traits, from the state of a lab with pictures.
export function traits({ pictures, ...state }) {
  return { ...state, retrains: false, progress: null, message: "", ...answer(pictures, state.rows, state.values) };
}

// Pictures lie in the order of their settings, of which the last control's change first.
function answer(pictures, rows, values) {
  const place = rows.reduce((i, row) => i * valuesOf(row).length + valuesOf(row).indexOf(values[row.name]), 0);
  const { webp, alt, width } = pictures[place];
  return { shown: { src: `data:image/webp;base64,${webp}`, alt, width }, answered: values };
}

export const serve = ({ pictures, rows }) => ({
  changed(model) {
    for (const [name, value] of Object.entries(answer(pictures, rows, model.get("values")))) model.set(name, value);
  },
});
