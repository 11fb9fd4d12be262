/**
 * Readers of the formats that examples come in: tables, arrays, folders of pictures. Each reader
 * turns a file or a folder into a {@link mlpcuda.data.Part}. This package is internal and may
 * change at any time.
 */
package mlpcuda.input;
