// The face of attune.js for `import attune from 'attune-web'`.
import './attune.js';
export default globalThis.attune;
