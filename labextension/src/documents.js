// Saving what is open.

/**
 * Save every open document that has changes.
 *
 * Resolves to the names of those that could not be saved.
 */
export async function saveAll(shell) {
  const contexts = new Set();
  for (const widget of shell.widgets("main")) {
    const context = widget.context;
    if (context && context.model && context.model.dirty && !context.model.readOnly) {
      contexts.add(context);
    }
  }
  const failed = [];
  await Promise.all(
    Array.from(contexts, async context => {
      try {
        await context.save();
        if (context.model.dirty) {
          failed.push(context.localPath);
        }
      } catch (error) {
        console.error("slurmhub: a document could not be saved", error);
        failed.push(context.localPath);
      }
    })
  );
  return failed;
}
