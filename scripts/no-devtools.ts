/** Stands in the bundle where Ink would load React's developer tools. */
export default { initialize: () => undefined, connectToDevTools: () => undefined }
