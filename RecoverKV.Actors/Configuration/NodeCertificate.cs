using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RecoverKV.Actors.Configuration;

/// <summary>A node's certificate has its id as a URI among its names, <c>recoverkv://node/ID</c>: those of other nodes,
/// and of clients, do not speak for it.</summary>
internal static class NodeCertificate
{
    private const string Prefix = "recoverkv://node/";
    private const string Names = "2.5.29.17";

    /// <summary>The name of a node.</summary>
    internal static Uri Uri(string node) => new(Prefix + node);

    /// <summary>Why the certificate does not speak for this node; null if it does.</summary>
    internal static string? WhyNot(string node, X509Certificate2 certificate) => NodesOf(certificate) switch
    {
        [] => $"it is no node's: the name {Prefix}{node} is wanted in it",
        [var one] when one == node => null,
        var others => $"it is that of {string.Join(", ", others.Take(3))}: the name {Prefix}{node} is wanted in it, "
            + "and no other node's",
    };

    /// <summary>The nodes that it speaks for.</summary>
    internal static List<string> NodesOf(X509Certificate2 certificate)
    {
        var nodes = new List<string>();
        try
        {
            foreach (var extension in certificate.Extensions.Where(e => e.Oid?.Value == Names))
            {
                var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
                var uri = new Asn1Tag(TagClass.ContextSpecific, 6);
                while (names.HasData)
                {
                    if (!names.PeekTag().HasSameClassAndValue(uri)) names.ReadEncodedValue();
                    else if (names.ReadCharacterString(UniversalTagNumber.IA5String, uri) is var text
                        && text.StartsWith(Prefix, StringComparison.Ordinal)
                        && Member.IsNodeId(text[Prefix.Length..])) nodes.Add(text[Prefix.Length..]);
                }
            }
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return [];
        }

        return nodes;
    }
}
