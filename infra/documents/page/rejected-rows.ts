import { actions, el, put } from './dom.ts';
import { warning } from './import-facts.ts';
import { download, errorMessage, type Page } from './page.ts';

/**
 * Part of the page that offers a file of the rows that are left out.
 *
 * @param total how many rows are left out; a file has the first of very many.
 */
export function rejectedRows(page: Page, id: string, total: number): HTMLElement {
  const { api, language } = page;
  const { import: words } = page.texts;
  const said = el('div');
  const button = (format: 'xlsx' | 'csv') =>
    el(
      'button',
      {
        type: 'button',
        onclick: async () => {
          put(said);
          try {
            const file = await api.rejectedRows(id, format, language);
            download(file.url, file.filename);
            if (file.count < total) put(said, warning(words.rejected.first(file.count, total)));
          } catch (error) {
            put(said, errorMessage(error, page));
          }
        },
      },
      words.rejected[format],
    );
  return el(
    'div',
    { class: 'rejected' },
    el('h3', {}, words.rejected.heading),
    el('p', {}, words.rejected.help),
    actions(button('xlsx'), button('csv')),
    said,
  );
}
